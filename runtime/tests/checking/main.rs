//! Cross-checking with compilers that are wrong on purpose: what they do is found, does no harm, and can be replayed.

mod bent;
mod cases;
mod differences;
mod sampling;
mod world;
