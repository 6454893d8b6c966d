//! `--stats`: what the tiers of the engine did, as text and JSON.

use serde_json::{Value, json};
use zvm::compiled::cache::CacheStats;
use zvm::engine::{Engine, ExitCounts, TierStats};

/// Figures of an engine at the end of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stats {
    tiers: TierStats,
    cache: CacheStats,
}

impl Stats {
    /// The figures now.
    pub(crate) fn of(engine: &Engine) -> Stats {
        engine.wait_for_compiler();
        Stats { tiers: engine.tier_stats(), cache: engine.cache_stats() }
    }

    /// For a person.
    pub(crate) fn text(&self) -> String {
        let TierStats {
            codes_prepared,
            regions_compiled,
            regions_improved,
            code_bytes,
            compile_time,
            refused,
            failed,
            panicked,
            queue_full,
            entries_mid_run,
            exits: ExitCounts { ended, trapped, asked, not_compiled, handed_over, host },
            ..
        } = self.tiers;
        let CacheStats { codes, analyzed_bytes, compiled_bytes, evictions } = self.cache;
        let milliseconds = compile_time.as_secs_f64() * 1e3;
        format!(
            "\ntiers\n  \
             compiled  {regions_compiled} regions of {codes_prepared} codes, {regions_improved} of them twice: \
             {code_bytes} bytes of machine code in {milliseconds:.2} ms\n  \
             refused   {refused} by a limit, {failed} failures and {panicked} panics of the compiler, \
             {queue_full} with the queue full\n  \
             tier-ups  {entries_mid_run} in the middle of a frame\n  \
             exits     {ended} ended, {trapped} trapped, {asked} asked for a call, {not_compiled} to what is not \
             compiled, {handed_over} handed over, {host} by the host\n  \
             cache     {codes} codes, {analyzed_bytes} bytes analyzed, {compiled_bytes} bytes compiled, \
             {evictions} evicted\n"
        )
    }

    /// The same as JSON.
    pub(crate) fn json(&self) -> Value {
        let TierStats { exits, .. } = self.tiers;
        json!({
            "codes_prepared": self.tiers.codes_prepared,
            "regions_compiled": self.tiers.regions_compiled,
            "regions_improved": self.tiers.regions_improved,
            "code_bytes": self.tiers.code_bytes,
            "compile_microseconds": self.tiers.compile_time.as_secs_f64() * 1e6,
            "refused": self.tiers.refused,
            "failed": self.tiers.failed,
            "panicked": self.tiers.panicked,
            "queue_full": self.tiers.queue_full,
            "entries_mid_run": self.tiers.entries_mid_run,
            "exits": {
                "ended": exits.ended,
                "trapped": exits.trapped,
                "asked": exits.asked,
                "not_compiled": exits.not_compiled,
                "handed_over": exits.handed_over,
                "host": exits.host,
            },
            "cache": {
                "codes": self.cache.codes,
                "analyzed_bytes": self.cache.analyzed_bytes,
                "compiled_bytes": self.cache.compiled_bytes,
                "evictions": self.cache.evictions,
            },
        })
    }
}
