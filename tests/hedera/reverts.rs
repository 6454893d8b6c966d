//! A reverted frame leaves the ledger as it was, at whatever depth it stands.

use testkit::relay;
use testkit::services::{Service, asking};
use zvm::hedera::TopicParams;
use zvm::outcome::Exit;
use zvm::{Address, U256};

use crate::world::{ACTOR, USER, Way, World, n, params, w, ways};

/// Contracts between the user and the actor.
const DEPTH: u8 = 5;

fn link(number: u8) -> Address {
    Address::repeat_byte(0xc0 + number)
}

/// A world in which a chain of contracts leads to the actor; the one at `reverting` reverts.
fn chain(way: Way, reverting: Option<u8>) -> World {
    let links: Vec<_> = (0..DEPTH)
        .map(|number| {
            let next = if number + 1 == DEPTH { ACTOR } else { link(number + 1) };
            let end = if reverting == Some(number) { "revert" } else { "return" };
            (link(number), relay::link(".evm", "call", &next, end))
        })
        .collect();
    World::with(way, &links)
}

#[test]
fn a_reverted_frame_leaves_nothing() {
    for way in ways() {
        for reverting in (0..DEPTH).map(Some).chain([None]) {
            let mut world = chain(way, reverting);
            let token = world.token(50);
            let topic = world.topic();
            // The first link is the actor's caller's caller; the last one calls the actor.
            let caller = w(link(DEPTH - 1));
            let requests: [(Service, Vec<U256>, Vec<u8>); 9] = [
                (Service::Associate, vec![caller, w(token)], vec![]),
                (Service::Mint, vec![w(token), n(7)], vec![]),
                (Service::Burn, vec![w(token), n(7)], vec![]),
                (Service::Approve, vec![w(token), caller, n(7)], vec![]),
                (Service::Create, vec![], params(ACTOR, 3).encode()),
                (Service::Submit, vec![w(topic)], b"message".to_vec()),
                (Service::CreateTopic, vec![], TopicParams { memo: "other".into() }.encode()),
                (Service::UpdateTopic, vec![w(topic)], TopicParams { memo: "changed".into() }.encode()),
                (Service::DeleteTopic, vec![w(topic)], vec![]),
            ];
            for (service, words, data) in requests {
                let before = state_of(&world);
                let result = world.send_from(USER, link(0), 0, asking(service, &words, &data));
                let exit = if reverting == Some(0) { Exit::Revert } else { Exit::Return };
                assert_eq!(result.exit, exit, "{service:?}");
                let after = state_of(&world);
                match reverting {
                    Some(_) => {
                        assert_eq!(before, after, "{service:?} {way:?} {reverting:?}");
                        assert!(result.logs.is_empty(), "{service:?}");
                    }
                    None => assert_ne!(before, after, "{service:?} {way:?}: it does something"),
                }
            }
        }
    }
}

/// Everything that changed so far but the sender.
fn state_of(world: &World) -> zvm::state::StateDiff {
    let mut changes = world.executor.changes();
    changes.accounts.remove(&USER);
    changes.accounts.remove(&Address::ZERO);
    changes
}
