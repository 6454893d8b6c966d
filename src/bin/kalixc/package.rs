//! Where modules lie: the package around a file, its dependencies, and a [`Loader`] that reads them.
//!
//! A file below the `src/` of a folder with `kalix.toml` belongs to that package. Any other file stands alone, and the
//! modules that it imports lie beside it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use kalix::modules::{Loaded, Loader, ModulePath};

use crate::read_text;

const MANIFEST: &str = "kalix.toml";

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
                        dependencies.insert(name.to_owned(), folder.join(path).join("src"));
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
