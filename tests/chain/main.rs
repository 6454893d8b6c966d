//! Chains of frames in both tiers: deep recursion, contracts of both encodings that call each other, precompiled
//! contracts, forged code.

mod deep;
mod delegated;
mod forged;
mod mixed;
mod precompiled;
mod world;
