//! Files, links, pipes and folders in the place of a file.

#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;

const ALL: [How; 4] = [How::Read, How::New, How::Append, How::Edit];

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn own_file_is_readable_only_by_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".mfactl/runs/one/journal.jsonl");
    open_own(&path, 4, How::New).unwrap().write_all(b"line\n").unwrap();
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(path.parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
    assert_eq!(read_all(open_own(&path, 4, How::Read).unwrap(), 10).unwrap(), b"line\n");
    assert_eq!(open_own(&path, 4, How::New).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    open_own(&path, 4, How::Append).unwrap().write_all(b"more\n").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"line\nmore\n");
}

#[test]
fn links_in_an_own_path_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir_all(elsewhere.join("runs")).unwrap();
    fs::write(elsewhere.join("runs/file"), "theirs").unwrap();
    let here = |name: &str| folder.path().join(name);
    symlink(&elsewhere, here("whole")).unwrap();
    fs::create_dir_all(here("middle")).unwrap();
    symlink(elsewhere.join("runs"), here("middle/runs")).unwrap();
    fs::create_dir_all(here("last/runs")).unwrap();
    symlink(elsewhere.join("runs/file"), here("last/runs/file")).unwrap();
    symlink(elsewhere.join("nothing"), here("last/runs/dangling")).unwrap();
    for path in ["whole/runs/file", "middle/runs/file", "last/runs/file", "last/runs/dangling"] {
        for how in ALL {
            let error = open_own(&here(path), 3, how).unwrap_err().to_string();
            assert!(error.contains("is a link") || how == How::New, "{path} {how:?}: {error}");
        }
    }
    assert!(make_own(&here("whole"), 1).is_err() && own_is_there(&here("whole"), 1).is_err());
    assert_eq!(fs::read(elsewhere.join("runs/file")).unwrap(), b"theirs");
    assert!(!elsewhere.join("nothing").exists());
    // The parts before the own parts are the user's choice and can be links.
    open_own(&here("whole/runs/file"), 2, How::Edit).unwrap();
}

#[test]
fn hard_links_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join("theirs");
    fs::write(&theirs, "theirs").unwrap();
    let lock = folder.path().join("lock");
    fs::hard_link(&theirs, &lock).unwrap();
    for how in [How::Append, How::Edit] {
        let error = open_own(&lock, 1, how).unwrap_err().to_string();
        assert!(error.contains("second name"), "{error}");
    }
    assert_eq!(fs::read(&theirs).unwrap(), b"theirs");
}

#[test]
fn pipes_folders_and_sockets_are_refused_without_blocking() {
    let folder = tempfile::tempdir().unwrap();
    let here = |name: &str| folder.path().join(name);
    pipe(&here("pipe"));
    fs::create_dir(here("folder")).unwrap();
    let _socket = UnixListener::bind(here("socket")).unwrap();
    let tree = Tree::of(folder.path()).unwrap();
    for name in ["pipe", "folder", "socket"] {
        for how in ALL {
            open_own(&here(name), 1, how).unwrap_err();
        }
        open(&here(name)).unwrap_err();
        tree.open(&here(name)).unwrap_err();
        symlink(here(name), here(&format!("to-{name}"))).unwrap();
        open(&here(&format!("to-{name}"))).unwrap_err();
        tree.open(&here(&format!("to-{name}"))).unwrap_err();
    }
}

#[test]
fn file_is_read_up_to_the_limit() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "12345").unwrap();
    assert_eq!(read(file.path(), 5).unwrap(), b"12345");
    assert_eq!(read(file.path(), 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
}

#[test]
fn links_are_followed_only_inside_the_tree() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("repository");
    fs::create_dir_all(root.join(".git")).unwrap();
    fs::create_dir_all(root.join("conf/policies")).unwrap();
    fs::write(root.join("common.yaml"), "inside").unwrap();
    fs::write(root.join(".git/config"), "a token").unwrap();
    fs::write(outer.path().join("secret"), "outside").unwrap();
    let tree = Tree::around(&root.join("conf")).unwrap();
    let at = |name: &str| root.join("conf/policies").join(name);
    symlink("../../common.yaml", at("inside.yaml")).unwrap();
    symlink("../../../secret", at("outside.yaml")).unwrap();
    symlink("outside.yaml", at("twice.yaml")).unwrap();
    symlink("../../..", at("folder")).unwrap();
    symlink("../../.git/config", at("git.yaml")).unwrap();
    symlink("../../.GIT", at("case")).unwrap();
    assert_eq!(read_all(tree.open(&at("inside.yaml")).unwrap(), 99).unwrap(), b"inside");
    for name in ["outside.yaml", "twice.yaml", "folder/secret", "../../../secret"] {
        assert!(matches!(tree.open(&at(name)), Err(PathRefusal::Outside)), "{name}");
    }
    assert!(matches!(tree.open(&at("git.yaml")), Err(PathRefusal::Private)));
    assert!(matches!(tree.real(&at("folder")), Err(PathRefusal::Outside)));
    // Without a repository, the folder itself is the tree.
    fs::remove_dir_all(root.join(".git")).unwrap();
    let tree = Tree::around(&root.join("conf")).unwrap();
    assert!(matches!(tree.open(&at("inside.yaml")), Err(PathRefusal::Outside)));
}

#[test]
fn failed_write_keeps_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let fill = |out: &mut io::BufWriter<&File>| out.write_all(b"new");
    write_whole(&path, Destination::Free, fill).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        write_whole(&path, Destination::Free, |_| Ok(())).unwrap_err().kind(),
        io::ErrorKind::AlreadyExists
    );
    let fails = |_: &mut io::BufWriter<&File>| Err(io::Error::other("no room"));
    write_whole(&path, Destination::Taken, fails).unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    write_whole(&link, Destination::Taken, |out| out.write_all(b"other")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
}
