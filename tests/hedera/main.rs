//! Hedera's services in both tiers: what each operation and each function of the facade does, each refusal, directly
//! and through DELEGATECALL, and that a reverted frame leaves nothing behind.

mod facade;
mod laws;
mod meeting;
mod operations;
mod refusals;
mod reverts;
mod rules;
mod treasury;
mod world;
