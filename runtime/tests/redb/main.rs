//! Tests of the persistent database: blocks, undo, snapshots, killed processes, full disks, damaged files.

mod blocks;
mod chain;
mod damage;
mod full_disk;
mod hedera;
mod killed;
