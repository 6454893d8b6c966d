//! Modules in scope: what each exports, what its imports bring in, and paths that begin with a module.

use std::collections::HashMap;
use std::sync::Arc;

use super::Sema;
use super::scope::{Names, TypeDef, ValueDef};
use crate::diag::{Code, Diagnostic};
use crate::modules::{Imported, Module, has_word, item_name};
use crate::source::{FileId, Span};
use crate::syntax::ast;

/// A number of a module; 0 is the root. It is also that of its file.
pub(super) type ModuleIndex = usize;

/// The names of one module.
pub(super) struct ModuleScope {
    pub(super) names: Names,
    /// Path, for messages.
    path: String,
    is_std: bool,
    /// Names that imports would have brought in if they had not been reported: what names them is no second mistake.
    failed: HashMap<Arc<str>, Span>,
    /// Modules that were imported whole, by their name here.
    prefixes: HashMap<Arc<str>, (ModuleIndex, Span)>,
    /// Its own items: whether each is `pub`, and where its name stands.
    items: HashMap<Arc<str>, (bool, Span)>,
    /// Names that imports brought in, and where.
    pub(super) imports: Vec<(Arc<str>, Span)>,
}

impl ModuleScope {
    pub(super) fn of(module: &Module) -> ModuleScope {
        let items = module.tree.items.iter().filter_map(|item| {
            let name = item_name(item)?;
            Some((name.name.clone(), (item.public.is_some(), name.span)))
        });
        ModuleScope {
            names: Names::default(),
            path: module.path.join("::"),
            is_std: module.is_std,
            failed: module.failed_imports.iter().map(|name| (name.name.clone(), name.span)).collect(),
            prefixes: HashMap::new(),
            items: items.collect(),
            imports: Vec::new(),
        }
    }

    /// What `name` means among values here or in one of the modules imported whole.
    pub(super) fn any_value(&self, name: &str, sema: &Sema<'_>) -> Option<ValueDef> {
        let imported =
            || self.prefixes.values().find_map(|&(module, _)| sema.modules[module].names.values.get(name));
        self.names.values.get(name).or_else(imported)
    }
}

impl<'a> Sema<'a> {
    /// The names in scope outside contracts.
    pub(super) fn scope(&self) -> &Names {
        &self.modules[self.current].names
    }

    /// Whether what is checked belongs to the built-in library.
    pub(super) fn in_std(&self) -> bool {
        self.modules[self.current].is_std
    }

    /// Whether a module belongs to the built-in library.
    pub(super) fn is_std(&self, module: ModuleIndex) -> bool {
        self.modules[module].is_std
    }

    /// A type of `std::hedera`, which is loaded wherever a service is named.
    pub(super) fn hedera_type(&self, name: &str) -> Option<TypeDef> {
        let module = self.modules.iter().find(|module| module.is_std && module.path == "std::hedera")?;
        module.names.types.get(name)
    }

    /// Brings imported names into scope; each module has its own names by now.
    pub(super) fn bring_in(&mut self, modules: &'a [Module]) {
        for (index, module) in modules.iter().enumerate() {
            self.current = index;
            for import in &module.imports {
                match &import.what {
                    Imported::Module { name } => {
                        let place = (import.module, name.span);
                        if let Some((_, first)) =
                            self.modules[index].prefixes.insert(name.name.clone(), place)
                        {
                            self.already_defined(name, first);
                        }
                        self.modules[index].imports.push((name.name.clone(), name.span));
                    }
                    Imported::Item { item, name } => self.bring_in_item(import.module, item, name),
                    Imported::All(_) => {}
                }
            }
            // What is named explicitly, here or in an import, wins.
            for import in &module.imports {
                if let Imported::All(span) = import.what {
                    self.bring_in_all(import.module, span);
                }
            }
        }
    }

    fn bring_in_item(&mut self, from: ModuleIndex, item: &ast::Ident, name: &ast::Ident) {
        if !self.is_visible(from, item) {
            self.modules[self.current].failed.insert(name.name.clone(), name.span);
            return;
        }
        self.modules[self.current].imports.push((name.name.clone(), name.span));
        if let Some(def) = self.modules[from].names.types.get(&item.name)
            && let Err(first) = self.modules[self.current].names.types.define(&name.name, def, name.span)
        {
            self.already_defined(name, first);
        }
    }

    fn bring_in_all(&mut self, from: ModuleIndex, star: Span) {
        for (name, span) in self.public_items(from) {
            let Some(def) = self.modules[from].names.types.get(&name) else { continue };
            let types = &mut self.modules[self.current].names.types;
            if let Err(first) = types.define(&name, def, span)
                && types.get(&name) != Some(def)
            {
                self.check_ambiguous(&name, first, span, star);
            }
        }
    }

    /// Reports a name that two imports with `*` bring in, if the module uses it. Whatever is named explicitly wins.
    fn check_ambiguous(&mut self, name: &Arc<str>, first: Span, second: Span, star: Span) {
        let own = FileId::of(self.current);
        // An explicit import is defined where it stands.
        if self.source.file_at(first.start) == own
            || !has_word(self.source.slice(self.source.file_span(own)), name)
        {
            return;
        }
        self.diags
            .error(Code::AlreadyDefined, star)
            .arg("name", name)
            .secondary(first, "one is declared here")
            .secondary(second, "the other one here")
            .note("two imports with `*` bring it in: name the one that is meant in a `use` of its own");
    }

    /// Whether a report is about a name that a reported import would have brought in.
    pub(super) fn follows_from_import(&self, diagnostic: &Diagnostic) -> bool {
        if diagnostic.code() != Code::NotFound {
            return false;
        }
        let span = diagnostic.span();
        let first = self.source.slice(span).split("::").next().unwrap_or("").trim();
        let module = &self.modules[self.source.file_at(span.start).index()];
        module.failed.get(first).is_some_and(|&import| import != span)
    }

    fn public_items(&self, module: ModuleIndex) -> Vec<(Arc<str>, Span)> {
        let items = self.modules[module].items.iter().filter(|item| item.1.0);
        items.map(|(name, place)| (name.clone(), place.1)).collect()
    }

    /// Brings imported values into scope: before signatures are worked out, for the constants in them, and afterwards for the
    /// functions. What clashes is reported the second time.
    pub(super) fn bring_in_values(&mut self, modules: &'a [Module], reports: bool) {
        for (index, module) in modules.iter().enumerate() {
            for import in &module.imports {
                let Imported::Item { item, name } = &import.what else { continue };
                let from = &self.modules[import.module];
                let public = from.items.get(&item.name).is_some_and(|place| place.0);
                let Some(def) = from.names.values.get(&item.name).filter(|_| public) else { continue };
                let own = &mut self.modules[index].names.values;
                if let Err(first) = own.define(&name.name, def, name.span)
                    && own.get(&name.name) != Some(def)
                    && reports
                {
                    self.already_defined(name, first);
                }
            }
            self.current = index;
            for import in &module.imports {
                let Imported::All(star) = import.what else { continue };
                for (name, span) in self.public_items(import.module) {
                    let Some(def) = self.modules[import.module].names.values.get(&name) else { continue };
                    let values = &mut self.modules[index].names.values;
                    if let Err(first) = values.define(&name, def, span)
                        && values.get(&name) != Some(def)
                        && reports
                    {
                        self.check_ambiguous(&name, first, span, star);
                    }
                }
            }
        }
    }

    /// The module that a name stands for as the beginning of a path.
    pub(super) fn module_named(&mut self, name: &str) -> Option<ModuleIndex> {
        let (module, span) = *self.modules[self.current].prefixes.get(name)?;
        self.mark_used(Some(span));
        Some(module)
    }

    /// What `name` of another module means among types.
    pub(super) fn exported_type(&mut self, module: ModuleIndex, name: &ast::Ident) -> Option<TypeDef> {
        let def = self.modules[module].names.types.get(&name.name)?;
        self.is_visible(module, name);
        Some(def)
    }

    /// What `module::name` means among values.
    pub(super) fn find_exported_value(&mut self, path: &ast::Path) -> Option<ValueDef> {
        let [first, name] = path.segments.as_slice() else { return None };
        let module = self.module_named(first.as_str())?;
        let def = self.modules[module].names.values.get(&name.name)?;
        self.is_visible(module, name);
        Some(def)
    }

    /// Whether a module's item is `pub`; reports it if not (K0107).
    fn is_visible(&mut self, module: ModuleIndex, name: &ast::Ident) -> bool {
        let scope = &self.modules[module];
        match scope.items.get(&name.name) {
            Some((true, _)) => true,
            Some(&(false, declared)) => {
                let shown = scope.path.clone();
                let known = self.diags.iter().any(|diagnostic| {
                    diagnostic.code() == Code::PrivateItem && diagnostic.span() == name.span
                });
                if !known {
                    self.diags
                        .error(Code::PrivateItem, name.span)
                        .arg("item", &name.name)
                        .arg("m", shown)
                        .secondary(declared, "declared without `pub` here");
                }
                false
            }
            // Brought in by an import, which hands nothing on.
            None => {
                self.not_exported(module, name);
                false
            }
        }
    }

    /// A module as messages name it.
    pub(super) fn module_path(&self, module: ModuleIndex) -> String {
        self.modules[module].path.to_string()
    }

    /// Reports that a module has no such item.
    pub(super) fn not_exported(&mut self, module: ModuleIndex, name: &ast::Ident) {
        let hint = format!("; module `{}` has no such item", self.modules[module].path);
        self.diags.error(Code::NotFound, name.span).arg("name", &name.name).arg("hint", hint);
    }
}
