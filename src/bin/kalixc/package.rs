//! Where modules lie: the package around a file, its dependencies, and a [`Loader`] that reads them.
//!
//! A file below the `src/` of a folder with `kalix.toml` belongs to that package. Any other file stands alone, and the
//! modules that it imports lie beside it. What a command works on, one file or all of a package, is [`Sources`].

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use kalix::modules::{Loaded, Loader, ModulePath};

use crate::read_text;

const MANIFEST: &str = "kalix.toml";

/// Most files of one package: more is a mistake in the command line, such as a folder of somebody else's.
const FILES_MAX: usize = 10_000;

/// What a command works on.
pub(crate) struct Sources {
    files: Vec<PathBuf>,
    /// As it is named to the user.
    shown: String,
}

impl Sources {
    /// A file, the folder of a package, or, if nothing is said, the package around the current folder.
    pub(crate) fn find(path: Option<&Path>) -> anyhow::Result<Sources> {
        match path {
            Some(path) if path.is_dir() => Sources::package(path),
            Some(path) => {
                let shown = path.display().to_string();
                Ok(Sources { files: vec![path.to_path_buf()], shown })
            }
            None => {
                let here = std::env::current_dir().context("cannot find the current folder")?;
                let steps = here.ancestors().enumerate();
                let found = steps.into_iter().find(|(_, folder)| folder.join(MANIFEST).is_file());
                let Some((up, _)) = found else {
                    bail!("name a source file: neither this folder nor one around it has a {MANIFEST}");
                };
                let folder: PathBuf = std::iter::repeat_n("..", up).collect();
                Sources::package(if up == 0 { Path::new("") } else { &folder })
            }
        }
    }

    fn package(folder: &Path) -> anyhow::Result<Sources> {
        let shown = if folder.as_os_str().is_empty() { ".".into() } else { folder.display().to_string() };
        let manifest = folder.join(MANIFEST);
        if !manifest.is_file() {
            bail!("{shown} is a folder without {MANIFEST}; name a source file or the folder of a package");
        }
        read_manifest(&manifest)?;
        let source_folder = folder.join("src");
        let mut files = Vec::new();
        let mut open = vec![source_folder.clone()];
        while let Some(folder) = open.pop() {
            let entries =
                std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
            for entry in entries {
                let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
                let (path, kind) = (entry.path(), entry.file_type());
                // A link to a folder is not followed: it may lead back.
                if kind.is_ok_and(|kind| kind.is_dir()) {
                    open.push(path);
                } else if path.extension().is_some_and(|extension| extension == "kalix") {
                    files.push(path);
                }
            }
            if files.len() > FILES_MAX {
                bail!("{shown} has more than {FILES_MAX} source files");
            }
        }
        if files.is_empty() {
            bail!("{} holds no file whose name ends in .kalix", source_folder.display());
        }
        files.sort();
        Ok(Sources { files, shown })
    }

    /// The files, each the root of a compilation.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// How messages name all of it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

/// The folders in which the modules of a compilation lie.
pub(crate) struct Folders {
    /// Of the modules of the package itself.
    own: PathBuf,
    /// Of the modules of each dependency.
    dependencies: BTreeMap<String, PathBuf>,
    /// How names of the package's files begin in messages and artifacts.
    prefix: String,
    /// The first file that was there and could not be read.
    trouble: Option<anyhow::Error>,
}

impl Folders {
    /// The folders for the package of a file, or for a file that stands alone.
    pub(crate) fn around(file: &Path) -> anyhow::Result<Folders> {
        let shown = file.display();
        let whole = std::path::absolute(file).with_context(|| format!("cannot find {shown}"))?;
        let beside = whole.parent().map(Path::to_path_buf).unwrap_or_default();
        for folder in whole.ancestors().skip(1) {
            let manifest = folder.join(MANIFEST);
            let source_folder = folder.join("src");
            if whole.starts_with(&source_folder) && manifest.is_file() {
                let dependencies = read_manifest(&manifest)?;
                let prefix = "src/".to_owned();
                return Ok(Folders { own: source_folder, dependencies, prefix, trouble: None });
            }
        }
        // Named as the file itself is: as on the command line, unless that would tell where it lies on this machine.
        let given = file.parent().filter(|_| file.is_relative()).unwrap_or(Path::new(""));
        let mut prefix = given.to_string_lossy().replace('\\', "/");
        if !prefix.is_empty() {
            prefix.push('/');
        }
        Ok(Folders { own: beside, dependencies: BTreeMap::new(), prefix, trouble: None })
    }

    /// The path of the module that a file is.
    pub(crate) fn module_path(&self, file: &Path) -> ModulePath {
        let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
        let within = whole.strip_prefix(&self.own).map(|path| path.with_extension(""));
        let within = within.unwrap_or_default();
        within.iter().map(|part| part.to_string_lossy().into_owned()).collect()
    }

    /// An error if some module was there and could not be read.
    pub(crate) fn trouble(self) -> anyhow::Result<()> {
        self.trouble.map_or(Ok(()), Err)
    }
}

impl Loader for Folders {
    fn load(&mut self, path: &[String]) -> Loaded {
        let (folder, rest, prefix) = match path {
            [first, rest @ ..] if !rest.is_empty() && self.dependencies.contains_key(first) => {
                (&self.dependencies[first], rest, format!("{first}/src/"))
            }
            _ => (&self.own, path, self.prefix.clone()),
        };
        let within = format!("{}.kalix", rest.join("/"));
        let (file, name) = (folder.join(&within), prefix + &within);
        match read_text(&file) {
            Ok(text) => Loaded::File { name, text },
            Err(error) => {
                let cause = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
                if !matches!(cause, Some(ErrorKind::NotFound | ErrorKind::NotADirectory)) {
                    self.trouble.get_or_insert(error);
                }
                Loaded::Missing { looked_for: name }
            }
        }
    }
}

/// The dependencies that a manifest names, each with the folder of its modules.
///
/// ```toml
/// [package]
/// name = "exchange"
///
/// [dependencies]
/// tokens = { path = "../tokens" }
/// ```
///
/// A manifest has these two tables and one member per line; of TOML's other forms it needs none, so they are refused.
fn read_manifest(manifest: &Path) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let shown = manifest.display();
    let text = read_text(manifest)?;
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let (mut table, mut named) = ("", false);
    let mut dependencies = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or("").trim();
        match (line, table) {
            ("", _) => continue,
            ("[package]", _) => table = "package",
            ("[dependencies]", _) => table = "dependencies",
            _ => {
                let member = line.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
                match (table, member) {
                    ("package", Some(("name", value))) if quoted(value).is_some() => named = true,
                    ("package", Some((_, value))) if quoted(value).is_some() => {}
                    ("dependencies", Some((name, value))) => {
                        let inner = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
                        let path = inner.and_then(|inner| inner.trim().strip_prefix("path"));
                        let path = path.and_then(|rest| quoted(rest.trim().strip_prefix('=')?.trim()));
                        let Some(path) = path else {
                            bail!("{shown}:{number}: write `{name} = {{ path = \"../{name}\" }}`");
                        };
                        let sources = folder.join(path).join("src");
                        if !sources.is_dir() {
                            bail!("{shown}:{number}: `{name}` has no folder {}", sources.display());
                        }
                        dependencies.insert(name.to_owned(), sources);
                    }
                    _ => {
                        bail!("{shown}:{number}: expected `[package]`, `[dependencies]` or a member of them")
                    }
                }
            }
        }
    }
    if !named {
        bail!("{shown}: `[package]` has no `name`");
    }
    Ok(dependencies)
}

/// What stands between two quotes.
fn quoted(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains(['"', '\\'])).then_some(inner)
}
