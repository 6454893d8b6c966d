//! Rules of the container, one by one, and its laws.

use proptest::prelude::*;

use super::*;

fn sample() -> Container {
    Container {
        target: Target::Native,
        needs_init: true,
        code: Bytes::from_static(&[0x1f, 0x10, 0x00]),
        abi: "[]".to_owned(),
        sections: Some(Sections {
            init: Some(Bytes::from_static(&[0xef, 0x5a, 0x01, 0x00])),
            source_map: Some(Bytes::from_static(b"map")),
            gas_estimates: None,
            sources: Some(Bytes::new()),
            meta: Some(Bytes::from_static(b"{}")),
        }),
    }
}

fn plain(target: Target, code: &[u8]) -> Container {
    Container {
        target,
        needs_init: false,
        code: Bytes::copy_from_slice(code),
        abi: String::new(),
        sections: None,
    }
}

#[track_caller]
fn check(bytes: &[u8], field: Field, offset: usize, problem: Problem) {
    let found = Container::read(bytes).expect_err("the container is wrong");
    assert_eq!(found, error(field, offset, problem), "{found}");
}

/// Bytes of a container with these sections appended and a right HASH after them.
fn with_sections(target: Target, flags: u8, sections: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut out = plain(target, &[0x00]).write().expect("a plain container");
    out[6] = flags;
    for (tag, payload) in sections {
        out.extend_from_slice(*tag);
        out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        out.extend_from_slice(payload);
    }
    let hash = keccak256(&out);
    out.extend_from_slice(b"HASH");
    out.extend_from_slice(&32u32.to_le_bytes());
    out.extend_from_slice(hash.as_slice());
    out
}

#[test]
fn the_layout_is_the_documented_one() {
    let bytes = plain(Target::Evm, &[0x60, 0x01]).write().expect("a plain container");
    assert_eq!(bytes, b"ZVMC\x01\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x60\x01");
    let full = sample().write().expect("the sample");
    assert_eq!(&full[..24], b"ZVMC\x01\x00\x03\x00\x03\x00\x00\x00\x02\x00\x00\x00\x1f\x10\x00[]INI");
    assert_eq!(&full[full.len() - 40..full.len() - 32], b"HASH\x20\x00\x00\x00");
    assert_eq!(&full[full.len() - 32..], keccak256(&full[..full.len() - 40]).as_slice());
}

#[test]
fn header_mistakes_name_their_field() {
    let good = plain(Target::Native, &[0x00]).write().expect("a plain container");
    let with = |offset: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[offset] = byte;
        bytes
    };
    check(b"", Field::Magic, 0, Problem::Truncated { needed: 4, available: 0 });
    check(b"ZV", Field::Magic, 0, Problem::Truncated { needed: 4, available: 2 });
    check(b"\x7fELF", Field::Magic, 0, Problem::NotAContainer);
    check(&with(4, 2), Field::Version, 4, Problem::UnknownVersion(2));
    check(&with(5, 2), Field::Target, 5, Problem::Wasm);
    check(&with(5, 3), Field::Target, 5, Problem::UnknownTarget(3));
    check(&with(6, 0x84), Field::Flags, 6, Problem::UnknownFlags(0x84));
    check(&with(7, 1), Field::Reserved, 7, Problem::NotZero(1));
    check(&good[..10], Field::CodeSize, 8, Problem::Truncated { needed: 4, available: 2 });
    check(&with(8, 2), Field::Code, 16, Problem::Truncated { needed: 2, available: 1 });
    check(&with(12, 9), Field::Abi, 17, Problem::Truncated { needed: 9, available: 0 });
    let huge = u64::from(u32::from_le_bytes([1, 0, 0, 0xff]));
    check(&with(11, 0xff), Field::CodeSize, 8, Problem::TooLarge { size: huge, limit: 24_573 });
    let huge = u64::from(0xff00_0000u32);
    check(&with(15, 0xff), Field::AbiSize, 12, Problem::TooLarge { size: huge, limit: 1 << 20 });
    check(&[&good[..], &[0]].concat(), Field::File, 17, Problem::TrailingBytes(1));
    assert!(Container::read(&with(5, 2)).expect_err("WASM is refused").to_string().contains("WASM"));
}

#[test]
fn the_first_bytes_of_code_fit_the_target() {
    let mut bytes = plain(Target::Native, &[0xef, 0x5a, 0x02]).write().expect("not the prefix");
    bytes[18] = 0x01;
    check(&bytes, Field::Code, 16, Problem::PrefixInBody);
    bytes[5] = 1;
    check(&bytes, Field::Code, 16, Problem::EvmCodeBeginsWithEf);
    let refused = plain(Target::Evm, &[0xef]).write().expect_err("not deployable");
    assert_eq!(refused.problem, Problem::EvmCodeBeginsWithEf);
    let refused = plain(Target::Native, &NATIVE_PREFIX).write().expect_err("prefix in the body");
    assert_eq!(refused.problem, Problem::PrefixInBody);
}

#[test]
fn section_mistakes_name_their_section() {
    let native = Target::Native;
    let init: &[u8] = &[0xef, 0x5a, 0x01];
    assert!(Container::read(&with_sections(native, 3, &[(b"INIT", init)])).is_ok());
    let (missing, no_prefix) = (Problem::NeedsInitWithoutInit, Problem::InitWithoutPrefix);
    check(&with_sections(native, 3, &[(b"META", b"")]), Field::Flags, 6, missing.clone());
    check(&with_sections(native, 1, &[(b"INIT", b"\xef\x5a")]), Field::Section(Tag::INIT), 25, no_prefix);
    assert!(Container::read(&with_sections(Target::Evm, 1, &[(b"INIT", b"")])).is_ok());
    let twice = with_sections(native, 1, &[(b"XYZ1", b""), (b"XYZ1", b"")]);
    check(&twice, Field::SectionTag, 25, Problem::DuplicateSection(Tag(*b"XYZ1")));
    let large = vec![0xef; INIT_CODE_SIZE_MAX + 1];
    let too_large = Problem::TooLarge { size: 49_153, limit: 49_152 };
    check(&with_sections(Target::Evm, 1, &[(b"INIT", &large)]), Field::Section(Tag::INIT), 25, too_large);

    let good = with_sections(native, 1, &[(b"META", b"m")]);
    check(&good[..17], Field::SectionTag, 17, Problem::MissingHash);
    check(&good[..26], Field::SectionTag, 26, Problem::MissingHash);
    check(&good[..19], Field::SectionTag, 17, Problem::Truncated { needed: 4, available: 2 });
    check(&good[..23], Field::SectionSize(Tag::META), 21, Problem::Truncated { needed: 4, available: 2 });
    check(&good[..25], Field::Section(Tag::META), 25, Problem::Truncated { needed: 1, available: 0 });
    check(&[&good[..], b"x"].concat(), Field::File, good.len(), Problem::TrailingBytes(1));
    let mut damaged = good.clone();
    damaged[25] ^= 1;
    check(&damaged, Field::Section(Tag::HASH), 34, Problem::HashMismatch);
    let mut short = good.clone();
    short[30] = 31;
    check(&short, Field::SectionSize(Tag::HASH), 30, Problem::HashSize(31));
    // Bit 1 alone: nothing to deploy through.
    let mut alone = plain(native, &[0x00]).write().expect("a plain container");
    alone[6] = 2;
    check(&alone, Field::Flags, 6, missing);
}

#[test]
fn limits_hold_to_the_byte() {
    for (target, limit) in [(Target::Native, 24_573), (Target::Evm, 24_576)] {
        assert!(plain(target, &vec![0; limit]).write().is_ok());
        let refused = plain(target, &vec![0; limit + 1]).write().expect_err("one byte too many");
        assert_eq!(refused.field, Field::Code);
    }
    let mut container = sample();
    container.abi = " ".repeat(ABI_SIZE_MAX + 1);
    assert_eq!(container.write().expect_err("ABI too large").field, Field::AbiSize);
    let mut container = sample();
    container.sections.as_mut().expect("the sample has sections").sources = Some(vec![0; 4 << 20].into());
    assert_eq!(container.write().expect_err("file too large").field, Field::File);
    assert_eq!(Container::read(&vec![0; (4 << 20) + 1]).expect_err("file too large").field, Field::File);
}

#[test]
fn unknown_sections_are_skipped() {
    let bytes = with_sections(Target::Native, 1, &[(b"\0\xff..", b"later"), (b"GASE", b"g")]);
    let sections = Container::read(&bytes).expect("unknown tags are fine").sections.expect("sections");
    assert_eq!(sections, Sections { gas_estimates: Some(Bytes::from_static(b"g")), ..Sections::default() });
}

#[test]
fn an_account_gets_the_prefix() {
    assert_eq!(sample().account_code().as_ref(), [0xef, 0x5a, 0x01, 0x1f, 0x10, 0x00]);
    assert_eq!(sample().analyzed_code().encoding(), Encoding::Zvm);
    assert_eq!(plain(Target::Evm, &[0x5b]).analyzed_code().encoding(), Encoding::Evm);
    assert_eq!(sample().creation_data(&[7]).expect("INIT"), [0xef, 0x5a, 0x01, 0x00, 7]);
}

#[test]
fn every_truncation_of_a_container_is_an_error() {
    let bytes = sample().write().expect("the sample");
    for len in 0..bytes.len() {
        assert!(Container::read(&bytes[..len]).is_err(), "cut to {len} bytes");
    }
}

fn any_payload() -> impl Strategy<Value = Option<Bytes>> {
    prop::option::of(prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from))
}

prop_compose! {
    fn any_container()(
        evm in any::<bool>(),
        mut code in prop::collection::vec(any::<u8>(), 0..60),
        abi in "\\PC{0,20}",
        init in any_payload(), source_map in any_payload(), gas_estimates in any_payload(),
        sources in any_payload(), meta in any_payload(),
        has_sections in any::<bool>(), wants_init in any::<bool>(),
    ) -> Container {
        let target = if evm { Target::Evm } else { Target::Native };
        if evm && code.first() == Some(&0xef) {
            code[0] = 0;
        }
        let init = init.map(|init| if evm { init } else { [&NATIVE_PREFIX[..], &init].concat().into() });
        let needs_init = has_sections && wants_init && init.is_some();
        let sections = Sections { init, source_map, gas_estimates, sources, meta };
        Container { target, needs_init, code: code.into(), abi, sections: has_sections.then_some(sections) }
    }
}

proptest! {
    #[test]
    fn what_was_written_reads_back(container in any_container()) {
        let bytes = container.write().expect("the strategy keeps the rules");
        let read = Container::read(&bytes).expect("the writer keeps the rules");
        prop_assert_eq!(&read, &container);
        prop_assert_eq!(read.write().expect("it was read"), bytes);
    }

    #[test]
    fn any_bytes_read_without_a_panic(tail in prop::collection::vec(any::<u8>(), 0..80), flags in 0u8..4) {
        let mut bytes = b"ZVMC\x01\x00".to_vec();
        bytes.push(flags);
        bytes.push(0);
        bytes.extend_from_slice(&tail);
        if let Ok(container) = Container::read(&bytes) {
            prop_assert!(container.write().is_ok());
        }
    }

    #[test]
    fn a_flipped_bit_never_goes_unseen_with_a_hash(at in 0usize..80, bit in 0u8..8) {
        let mut bytes = sample().write().expect("the sample");
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(Container::read(&bytes).is_err());
    }
}
