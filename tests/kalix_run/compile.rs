//! Source text to code, and one contract that lives in a world of its own.

use std::collections::BTreeMap;

use alloy_primitives::{Bytes, U256};
use kalix::codegen::gas_report::{Estimator, GasEstimate};
use kalix::codegen::{Assembly, CodegenOptions, Target, compile_module, init_code};
use kalix::diag::{Diagnostics, Severity};
use kalix::ir::lower::{Lowered, lower_contract};
use kalix::modules::NoModules;
use kalix::sema::typed;
use kalix::source::Source;
use testkit::observe::Observed;
use testkit::program::{Program, Setting};
use testkit::tiers::{Compile, Prepared};
use zvm::outcome::Exit;

fn report(diags: &Diagnostics, source: &Source) -> String {
    let line = |d: &kalix::diag::Diagnostic| {
        let at = source.line_column(d.span().start);
        format!("{}:{}: {} {}", at.line, at.column, d.code().id(), d.title())
    };
    diags.iter().filter(|d| d.severity() == Severity::Error).map(line).collect::<Vec<_>>().join("\n")
}

/// The typed tree of a module without mistakes.
pub(crate) fn check(text: &str) -> Result<typed::Program, String> {
    let mut source = Source::new("test.kalix", text);
    let mut diags = Diagnostics::new();
    let modules = kalix::modules::load(&mut source, Vec::new(), &mut NoModules, &mut diags);
    if diags.has_errors() {
        return Err(report(&diags, &source));
    }
    let (program, diags) = kalix::sema::check(&modules, &source);
    if diags.has_errors() { Err(report(&diags, &source)) } else { Ok(program) }
}

/// The IR of the module's contract at `index`.
pub(crate) fn lower(program: &typed::Program, index: usize) -> Result<Lowered, String> {
    let mut diags = Diagnostics::new();
    let lowered = lower_contract(program, &program.contracts[index], &mut diags);
    let messages: Vec<_> = diags.iter().map(|d| format!("{} {}", d.code().id(), d.title())).collect();
    lowered.ok_or_else(|| messages.join("\n"))
}

/// A contract as code.
pub(crate) struct Compiled {
    pub(crate) program: typed::Program,
    pub(crate) index: usize,
    pub(crate) target: Target,
    /// Without the target's prefix.
    pub(crate) runtime: Assembly,
    /// Without the target's prefix.
    pub(crate) init: Vec<u8>,
    /// Whether it is executed as native code, too.
    pub(crate) is_native: bool,
}

impl Compiled {
    /// The contract at `index` of a program.
    pub(crate) fn contract_of(
        program: typed::Program,
        index: usize,
        options: &CodegenOptions,
    ) -> Result<Compiled, String> {
        let lowered = lower(&program, index)?;
        let runtime = compile_module(&lowered.runtime, options).map_err(|e| e.to_string())?;
        let init = init_code::complete(&lowered, &runtime, options.target.prefix());
        let init = compile_module(&init, options).map_err(|e| e.to_string())?.bytes;
        Ok(Compiled { program, index, target: options.target, runtime, init, is_native: true })
    }

    pub(crate) fn contract(&self) -> &typed::Contract {
        &self.program.contracts[self.index]
    }

    fn prepare(&self, program: &Program) -> Prepared {
        match self.is_native {
            true => Prepared::new(program, &Compile::PLAIN),
            false => Prepared::without_native(program),
        }
    }

    pub(crate) fn entry(&self, name: &str) -> Option<&typed::EntryPoint> {
        self.contract().entry_points.iter().find(|entry| entry.name == name)
    }
}

/// A deployed contract with its storage.
pub(crate) struct World {
    pub(crate) compiled: Compiled,
    pub(crate) storage: BTreeMap<U256, U256>,
    code: Vec<u8>,
    prepared: Prepared,
    estimates: BTreeMap<[u8; 4], GasEstimate>,
}

impl World {
    /// Runs the init code with arguments; the end of it, and the world if it succeeded.
    pub(crate) fn deploy(
        compiled: Compiled,
        args: &[u8],
        value: U256,
    ) -> Result<(Observed, Option<World>), String> {
        let code = [&compiled.init[..], args].concat();
        let creation = program(code, compiled.target, Setting { value, gas: GAS, ..Setting::plain() });
        let agreed = compiled.prepare(&creation).check(&creation.setting)?;
        crate::peer::frame(&creation, &agreed.observed)?;
        let Some(storage) = agreed.observed.storage.clone() else { return Ok((agreed.observed, None)) };
        let deployed = agreed.observed.output.strip_prefix(compiled.target.prefix()).unwrap_or_default();
        let mut blank = deployed.to_vec();
        for site in &compiled.runtime.immutables {
            blank.get_mut(site.offset as usize..site.offset as usize + 32).ok_or("code is missing")?.fill(0);
        }
        if blank != compiled.runtime.bytes {
            return Err("the init code does not return the runtime code".into());
        }
        let program = program(deployed.to_vec(), compiled.target, Setting::plain());
        let prepared = compiled.prepare(&program);
        Ok((
            agreed.observed,
            Some(World { compiled, storage, code: program.code, prepared, estimates: BTreeMap::new() }),
        ))
    }

    /// Calls the contract; storage changes stay.
    pub(crate) fn call(&mut self, input: Bytes, value: U256) -> Result<Observed, String> {
        let setting = Setting { input, value, gas: GAS, storage: self.storage.clone(), ..Setting::plain() };
        let agreed = self.prepared.check(&setting)?;
        let program = program(self.code.clone(), self.compiled.target, setting);
        crate::peer::frame(&program, &agreed.observed)?;
        if let Some(storage) = &agreed.observed.storage {
            self.storage = storage.clone();
        }
        Ok(agreed.observed)
    }

    /// Holds what a call of the entry point `selector` cost against what was estimated.
    pub(crate) fn check_gas(&mut self, selector: [u8; 4], observed: &Observed) -> Result<(), String> {
        // A trap takes all gas, and no estimate is about it.
        let is_success = matches!(observed.exit, Exit::Halt | Exit::Return);
        if !is_success && observed.exit != Exit::Revert {
            return Ok(());
        }
        let used = GAS - observed.gas_left;
        let estimate = || Estimator::new(&self.compiled.runtime).estimate(selector);
        let found = self.estimates.entry(selector).or_insert_with(estimate);
        let min = if is_success { found.min } else { 0 };
        if used < min || found.bound.is_some_and(|bound| used > bound) {
            return Err(format!("used {used} gas, the estimate is {found:?}"));
        }
        Ok(())
    }
}

pub(crate) const GAS: u64 = 10_000_000;

fn program(code: Vec<u8>, target: Target, setting: Setting) -> Program {
    Program { encoding: target.encoding(), code, setting }
}
