//! The folder and the form of its files, below the compiler.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use alloy_primitives::{B256, keccak256};

use super::entry::{Entry, HEADER_BYTES};
use super::*;

/// A folder that is not there yet, and is gone afterwards.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("zvm-disk-cache-{}-{name}", std::process::id()));
        // It is there only if an earlier run had the same number and was killed.
        let _ = fs::remove_dir_all(&path);
        Place(path)
    }

    fn open(&self) -> DiskCache {
        DiskCache::open(&self.0, DiskCacheLimits::default()).expect("a private folder")
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).expect("the folder");
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const KEY: Key = Key(B256::repeat_byte(7));

fn name(region: u32) -> RegionName {
    RegionName { region, regions: 9, blocks: 3..8 }
}

#[test]
fn what_is_stored_is_loaded_by_the_next_process() {
    let place = Place::new("round");
    let cache = place.open();
    cache.store(&KEY, &name(2), b"machine code");
    assert_eq!(cache.load(&KEY, &name(2)).as_deref(), Some(&b"machine code"[..]));
    let next = place.open();
    assert_eq!(next.regions(&KEY), [2]);
    assert_eq!(next.load(&KEY, &name(2)).as_deref(), Some(&b"machine code"[..]));
    assert_eq!(next.load(&KEY, &name(1)), None);
    let stats = next.stats();
    assert_eq!((stats.loaded, stats.rejected, stats.first_problem), (1, 0, None));
    let mode = |path: &PathBuf| fs::metadata(path).expect("metadata").mode() & 0o777;
    assert_eq!((mode(&place.0), mode(&place.files()[0])), (0o700, 0o600));
}

#[test]
fn every_damaged_byte_is_seen_and_the_file_goes() {
    let place = Place::new("damage");
    let cache = place.open();
    cache.store(&KEY, &name(0), b"code");
    let file = place.files().remove(0);
    let sound = fs::read(&file).expect("the file");
    for at in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        fs::write(&file, &bytes).expect("written");
        let cache = place.open();
        assert_eq!(cache.load(&KEY, &name(0)), None, "byte {at}");
        assert_eq!((cache.stats().rejected, file.exists()), (1, false), "byte {at}");
        assert!(cache.stats().first_problem.is_some());
        cache.store(&KEY, &name(0), b"code");
    }
    for size in 0..sound.len() {
        fs::write(&file, &sound[..size]).expect("written");
        assert_eq!(place.open().load(&KEY, &name(0)), None, "{size} bytes");
        cache.store(&KEY, &name(0), b"code");
    }
    fs::write(&file, [&sound[..], b"x"].concat()).expect("written");
    assert_eq!(place.open().load(&KEY, &name(0)), None, "a byte too many");
}

/// With a checksum that fits, every field of the header still must be the expected one.
#[test]
fn every_byte_of_the_header_counts() {
    let sound = Entry::encode(&KEY, &name(0), b"code").expect("short enough");
    assert_eq!(Entry::decode(sound.clone(), &KEY, &name(0)).as_deref(), Ok(&b"code"[..]));
    for at in 0..HEADER_BYTES {
        let mut bytes = sound[..sound.len() - 32].to_vec();
        bytes[at] ^= 1;
        let hash = keccak256(&bytes);
        bytes.extend_from_slice(&hash[..]);
        assert_eq!(Entry::decode(bytes, &KEY, &name(0)), Err("it is for something else"), "byte {at}");
    }
}

#[test]
fn folders_that_others_can_write_to_are_refused() {
    let place = Place::new("refused");
    let open = |path: &PathBuf| DiskCache::open(path, DiskCacheLimits::default()).map(|_| ());
    let reason = |path: &PathBuf| match open(path) {
        Err(DiskCacheError::NotPrivate { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    fs::create_dir(&place.0).expect("a folder");
    for mode in [0o770, 0o720, 0o702, 0o777] {
        fs::set_permissions(&place.0, fs::Permissions::from_mode(mode)).expect("permissions");
        assert!(reason(&place.0).contains("chmod go-w"), "{mode:o}");
    }
    fs::set_permissions(&place.0, fs::Permissions::from_mode(0o755)).expect("permissions");
    assert!(open(&place.0).is_ok(), "others may read");
    assert!(place.files().is_empty(), "the probe is gone");

    let link = place.0.join("link");
    symlink(std::env::temp_dir(), &link).expect("a link");
    assert!(reason(&link).contains("symbolic link"));
    let file = place.0.join("file");
    fs::write(&file, b"").expect("a file");
    assert!(reason(&file).contains("not a folder"));
    assert!(matches!(open(&file.join("below")), Err(DiskCacheError::Io { .. })));
    // Where the test may change owners, it is root.
    if std::os::unix::fs::chown(&file, Some(1), None).is_ok() {
        std::os::unix::fs::chown(&place.0, Some(1), None).expect("as the line before");
        assert!(reason(&place.0).contains("belongs to another user"));
    }
}

#[test]
fn a_file_that_others_could_have_written_is_not_read() {
    let place = Place::new("foreign");
    let cache = place.open();
    cache.store(&KEY, &name(0), b"code");
    let file = place.files().remove(0);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("permissions");
    assert_eq!(cache.load(&KEY, &name(0)), None);
    cache.store(&KEY, &name(0), b"code");
    let elsewhere = place.0.join("elsewhere");
    fs::rename(&file, &elsewhere).expect("moved");
    symlink(&elsewhere, &file).expect("a link");
    assert_eq!(cache.load(&KEY, &name(0)), None, "a link is not followed");
    assert_eq!(cache.stats().rejected, 2);
    assert!(elsewhere.exists(), "what the link led to is left alone");
}

#[test]
fn a_write_that_fails_leaves_nothing() {
    let place = Place::new("full");
    let cache = place.open();
    let result = cache.folder.write_by("name", |file| {
        file.write_all(b"half")?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    });
    assert_eq!(result.expect_err("the disk is full").kind(), io::ErrorKind::StorageFull);
    assert!(place.files().is_empty());
    // A folder that has gone: what can't be stored is counted.
    fs::remove_dir(&place.0).expect("an empty folder");
    cache.store(&KEY, &name(0), b"code");
    cache.ban(&KEY);
    let stats = cache.stats();
    assert_eq!((stats.stored, stats.failed), (0, 2));
    assert!(stats.first_problem.expect("a problem").contains("cannot be stored"));
}

#[test]
fn what_was_used_longest_ago_goes_first() {
    let place = Place::new("evict");
    let limits = DiskCacheLimits { bytes: 1 << 20, files: 4 };
    let cache = DiskCache::open(&place.0, limits).expect("a private folder");
    for region in 0..4 {
        cache.store(&KEY, &name(region), b"code");
    }
    assert!(cache.load(&KEY, &name(0)).is_some());
    cache.store(&KEY, &name(4), b"code");
    assert_eq!(cache.regions(&KEY), [0, 3, 4]);
    assert_eq!((cache.stats().evicted, place.files().len()), (2, 3));
    // Bytes count as well, and so does what was there.
    let small = DiskCacheLimits { bytes: 280, files: 100 };
    let next = DiskCache::open(&place.0, small).expect("a private folder");
    assert_eq!((next.regions(&KEY).len(), place.files().len()), (2, 2));
}

#[test]
fn a_ban_outlives_the_process_and_keeps_the_code_out() {
    let place = Place::new("ban");
    let cache = place.open();
    let other = place.open();
    cache.store(&KEY, &name(0), b"code");
    cache.ban(&KEY);
    assert!(cache.is_banned(&KEY) && cache.regions(&KEY).is_empty());
    assert!(other.is_banned(&KEY), "seen by a process that was there before");
    let next = place.open();
    assert!(next.is_banned(&KEY) && !next.is_banned(&Key(B256::ZERO)));
}

#[test]
fn names_are_read_one_way_only() {
    let file = file_name(&KEY, 0x1f);
    assert_eq!(parse_name(&file), Some((KEY, Some(0x1f))));
    assert_eq!(parse_name(&ban_name(&KEY)), Some((KEY, None)));
    for other in [file.to_uppercase(), file.replace('-', "_"), format!("{file}.part"), "zvmn".into()] {
        assert_eq!(parse_name(&other), None, "{other}");
    }
    assert_eq!(parse_name(&file.replace("-0000001f", "-1f")), None);
}
