//! The modules of a compilation: which files `use` reaches, and what each import means (§3).
//!
//! The compiler reads no file. A [`Loader`] finds the text of a module by its path; this file follows the imports, parses
//! what they reach, and finds missing modules (K0105) and circles (K0106). What an imported name is, and whether it is
//! `pub`, is decided by checking.

use std::collections::HashMap;

use crate::diag::{Code, Diagnostics};
use crate::source::{FileId, Source, Span};
use crate::syntax::{self, ast};

/// A path of a module: `dex::pair` is `["dex", "pair"]`.
pub type ModulePath = Vec<String>;

/// What a loader knows of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// Its name for messages and source maps, and its text.
    File {
        /// Usually a path.
        name: String,
        /// The whole text.
        text: String,
    },
    /// There is no such module.
    Missing {
        /// Where it would be.
        looked_for: String,
    },
}

/// Finds the texts of modules.
pub trait Loader {
    /// The module of this path.
    fn load(&mut self, path: &[String]) -> Loaded;
}

/// A loader for a file that stands alone.
pub struct NoModules;

impl Loader for NoModules {
    fn load(&mut self, path: &[String]) -> Loaded {
        Loaded::Missing { looked_for: format!("{}.kalix", path.join("/")) }
    }
}

/// The texts of the built-in library.
const STD: &[(&str, &str)] =
    &[("hedera", include_str!("std/hedera.kalix")), ("math", include_str!("std/math.kalix"))];
/// The module with the types of builtins, and the objects that need it, imported or not.
const SERVICES: (&[&str], &[&str]) = (&["std", "hedera"], &["hts", "hcs"]);

/// A module of a compilation.
#[derive(Debug)]
pub struct Module {
    /// Its path; of the root it says where imports with `super` begin.
    pub path: ModulePath,
    /// Where its text stands.
    pub file: FileId,
    /// Its syntax tree, perhaps with holes.
    pub tree: ast::Module,
    /// What its imports mean, in source order; those that were reported are left out.
    pub imports: Vec<Import>,
    /// The names that those would have brought in.
    pub failed_imports: Vec<ast::Ident>,
    /// Whether it belongs to the built-in library.
    pub is_std: bool,
}

/// One name that a `use` brings in, or all of a module.
#[derive(Clone, Debug)]
pub struct Import {
    /// Number of the module that it comes from.
    pub module: usize,
    /// What comes from it.
    pub what: Imported,
}

/// What a `use` brings in.
#[derive(Clone, Debug)]
pub enum Imported {
    /// The module itself, as the prefix of paths.
    Module {
        /// The name here.
        name: ast::Ident,
    },
    /// One item.
    Item {
        /// Its name there.
        item: ast::Ident,
        /// The name here.
        name: ast::Ident,
    },
    /// Every `pub` item that no other name hides; where that is written.
    All(Span),
}

/// The root module and everything that it reaches; the root comes first.
pub fn load(
    source: &mut Source,
    root: ModulePath,
    loader: &mut dyn Loader,
    diags: &mut Diagnostics,
) -> Vec<Module> {
    let mut loading = Loading { source, loader, diags, modules: Vec::new(), by_path: HashMap::new() };
    loading.parse(root, FileId::ROOT, false);
    loading.follow();
    loading.add_services();
    loading.modules
}

struct Loading<'l> {
    source: &'l mut Source,
    loader: &'l mut dyn Loader,
    diags: &'l mut Diagnostics,
    modules: Vec<Module>,
    /// The modules tried so far; where a missing one would be.
    by_path: HashMap<ModulePath, Result<usize, String>>,
}

impl Loading<'_> {
    fn parse(&mut self, path: ModulePath, file: FileId, is_std: bool) -> usize {
        let (tree, mistakes) = syntax::parse_file(self.source, file);
        self.diags.append(mistakes);
        let index = self.modules.len();
        self.by_path.insert(path.clone(), Ok(index));
        self.modules.push(Module {
            path,
            file,
            tree,
            imports: Vec::new(),
            failed_imports: Vec::new(),
            is_std,
        });
        index
    }

    /// Follows the imports of the root, then of what they reach; reports circles. The stack is explicit: the length of a
    /// chain of imports is the sources' choice.
    fn follow(&mut self) {
        // Modules on the way, with their imports that are still to be followed.
        let mut way: Vec<(usize, std::vec::IntoIter<(Import, Span)>)> = Vec::new();
        let mut done = vec![false; 1];
        let first = self.imports(0);
        way.push((0, first.into_iter()));
        while let Some((at, imports)) = way.last_mut() {
            let at = *at;
            let Some((import, span)) = imports.next() else {
                done[at] = true;
                way.pop();
                continue;
            };
            let next = import.module;
            if let Some(from) = way.iter().position(|step| step.0 == next) {
                let circle = way[from..].iter().map(|step| step.0).chain([next]);
                let names: Vec<String> = circle.map(|index| self.modules[index].path.join("::")).collect();
                self.diags.error(Code::ImportCycle, span).arg("cycle", names.join(" → "));
                if let Imported::Module { name } | Imported::Item { name, .. } = import.what {
                    self.modules[at].failed_imports.push(name);
                }
                continue;
            }
            self.modules[at].imports.push(import);
            done.resize(self.modules.len(), false);
            if !done[next] {
                let imports = self.imports(next);
                way.push((next, imports.into_iter()));
            }
        }
    }

    /// Loads the types of Hedera's services for a program that names a service; nothing in it may import them.
    fn add_services(&mut self) {
        let (path, objects) = SERVICES;
        let is_named = |text: &str| objects.iter().any(|object| has_word(text, object));
        if self.source.files().any(|(_, text)| is_named(text)) {
            let path: ModulePath = path.iter().map(|&segment| segment.to_owned()).collect();
            // The module belongs to the compiler; if the program is too large for it, what uses it says so.
            let _ = self.find(&path);
        }
    }

    /// What the `use` items of a module mean.
    fn imports(&mut self, module: usize) -> Vec<(Import, Span)> {
        let uses: Vec<(ast::Use, Span)> = self.modules[module]
            .tree
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                ast::ModuleItemKind::Use(import) => Some((import.clone(), item.span)),
                _ => None,
            })
            .collect();
        let mut imports = Vec::new();
        for (import, span) in uses {
            self.import(module, &import, span, &mut imports);
        }
        imports
    }

    fn import(&mut self, from: usize, import: &ast::Use, span: Span, out: &mut Vec<(Import, Span)>) {
        let segments = &import.path.segments;
        let Some((last, parents)) = segments.split_last() else { return };
        match &import.tree {
            ast::UseTree::Single { alias } => {
                let name = alias.clone().unwrap_or_else(|| last.clone());
                if !parents.is_empty()
                    && let Some(path) = self.absolute(from, parents)
                    && let Ok(module) = self.find(&path)
                    && self.declares(module, last.as_str())
                {
                    let what = Imported::Item { item: last.clone(), name };
                    return out.push((Import { module, what }, span));
                }
                let whole = self.absolute(from, segments).map(|path| self.find(&path));
                if let Some(Ok(module)) = whole {
                    return out.push((Import { module, what: Imported::Module { name } }, span));
                }
                self.modules[from].failed_imports.push(name);
                let parent = self.absolute(from, parents).map(|path| self.find(&path));
                match (parent, whole) {
                    (Some(Ok(module)), _) if !parents.is_empty() => self.no_item(module, last),
                    // Either could have been meant: an item of the parent, or a module.
                    (Some(Err(parent)), Some(Err(whole))) if !parents.is_empty() => {
                        self.missing(segments, format!("{parent}` and `{whole}"), import.path.span);
                    }
                    _ => drop(self.resolve_module(from, segments, import.path.span)),
                }
            }
            ast::UseTree::List(items) => {
                let found = self.resolve_module(from, segments, import.path.span);
                for item in items {
                    let name = item.alias.clone().unwrap_or_else(|| item.name.clone());
                    match found {
                        Some(module) if self.declares(module, item.name.as_str()) => {
                            let what = Imported::Item { item: item.name.clone(), name };
                            out.push((Import { module, what }, span));
                            continue;
                        }
                        Some(module) => self.no_item(module, &item.name),
                        None => {}
                    }
                    self.modules[from].failed_imports.push(name);
                }
            }
            ast::UseTree::All => {
                if let Some(module) = self.resolve_module(from, segments, import.path.span) {
                    out.push((Import { module, what: Imported::All(import.path.span) }, span));
                }
            }
        }
    }

    /// The path of a module as seen from everywhere; nothing if `super` leads out of the package.
    fn absolute(&self, from: usize, segments: &[ast::Ident]) -> Option<ModulePath> {
        let mut path = ModulePath::new();
        let mut names = segments.iter().map(ast::Ident::as_str).peekable();
        if names.peek() == Some(&"super") {
            path.clone_from(&self.modules[from].path);
            path.pop()?;
            names.next();
            while names.next_if_eq(&"super").is_some() {
                path.pop()?;
            }
        }
        path.extend(names.map(str::to_owned));
        Some(path)
    }

    fn resolve_module(&mut self, from: usize, segments: &[ast::Ident], span: Span) -> Option<usize> {
        let found = match self.absolute(from, segments) {
            Some(path) => self.find(&path),
            None => Err("a parent of the package".to_owned()),
        };
        match found {
            Ok(module) => Some(module),
            Err(looked_for) => {
                self.missing(segments, looked_for, span);
                None
            }
        }
    }

    fn missing(&mut self, segments: &[ast::Ident], looked_for: String, span: Span) {
        let shown = segments.iter().map(ast::Ident::as_str).collect::<Vec<_>>().join("::");
        self.diags.error(Code::ModuleNotFound, span).arg("m", shown).arg("path", looked_for);
    }

    /// The module of a path, loading it if it is new; where it would be if there is none.
    fn find(&mut self, path: &[String]) -> Result<usize, String> {
        if let Some(known) = self.by_path.get(path) {
            return known.clone();
        }
        let is_std = path.first().is_some_and(|first| first == "std");
        let loaded = match path {
            [first, module] if first == "std" => {
                let text = STD.iter().find(|row| row.0 == module.as_str());
                text.map(|row| Loaded::File { name: format!("std/{}.kalix", row.0), text: row.1.to_owned() })
            }
            _ => None,
        };
        let loaded = match loaded {
            Some(loaded) => loaded,
            None if is_std || path.is_empty() => {
                Loaded::Missing { looked_for: format!("{}.kalix", path.join("/")) }
            }
            None => self.loader.load(path),
        };
        let result = match loaded {
            Loaded::Missing { looked_for } => Err(looked_for),
            Loaded::File { name, text } => match self.source.add_file(&name, &text) {
                Some(file) => return Ok(self.parse(path.to_vec(), file, is_std)),
                None => Err(format!("{name}, which makes the program too large")),
            },
        };
        self.by_path.insert(path.to_vec(), result.clone());
        result
    }

    /// Whether a module has an item of this name, or may have one in a part that could not be parsed.
    fn declares(&self, module: usize, name: &str) -> bool {
        let tree = &self.modules[module].tree;
        tree.items.iter().any(|item| item_name(item).is_some_and(|own| own.as_str() == name))
    }

    fn no_item(&mut self, module: usize, name: &ast::Ident) {
        let shown = self.modules[module].path.join("::");
        let hint = format!("; module `{shown}` has no such item");
        self.diags.error(Code::NotFound, name.span).arg("name", &name.name).arg("hint", hint);
    }
}

/// The path of what the built-in library calls so.
pub(crate) fn path_in_std(name: &str) -> Option<String> {
    let declares = |text: &str| {
        let starts = ["fn", "struct", "error"].map(|word| format!("pub {word} {name}"));
        let ends = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
        text.lines()
            .any(|line| starts.iter().any(|start| line.strip_prefix(start.as_str()).is_some_and(ends)))
    };
    STD.iter().find(|row| declares(row.1)).map(|row| format!("std::{}::{name}", row.0))
}

/// Whether a word stands in a text, perhaps in a comment.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    text.match_indices(word).any(|(at, _)| {
        let (before, rest) = text.as_bytes().split_at(at);
        !is_part(before.last()) && !is_part(rest.get(word.len()))
    })
}

/// The name that an item of a module declares.
pub(crate) fn item_name(item: &ast::ModuleItem) -> Option<&ast::Ident> {
    match &item.kind {
        ast::ModuleItemKind::Const(decl) => Some(&decl.name),
        ast::ModuleItemKind::Struct(decl) => Some(&decl.name),
        ast::ModuleItemKind::Enum(decl) => Some(&decl.name),
        ast::ModuleItemKind::Error(decl) => Some(&decl.name),
        ast::ModuleItemKind::Event(decl) => Some(&decl.name),
        ast::ModuleItemKind::Interface(decl) => Some(&decl.name),
        ast::ModuleItemKind::Contract(decl) => Some(&decl.name),
        ast::ModuleItemKind::Fn(decl) => Some(&decl.sig.name),
        ast::ModuleItemKind::Use(_) | ast::ModuleItemKind::Test(_) | ast::ModuleItemKind::Impl(_) => None,
    }
}
