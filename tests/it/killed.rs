//! The program killed in the middle of an apply.

use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mfactl::sandbox::sign_in::Verdict;
use mfactl::sandbox::{Fault, Store};

use crate::faults::{JANE, is_done, nth, with};
use crate::world::World;

#[test]
fn killed_before_any_write_is_answered_nobody_is_worse_off_and_the_next_apply_ends_it() {
    for place in 0..3 {
        let victim: Arc<Mutex<Option<Child>>> = Arc::default();
        let hand = Arc::clone(&victim);
        let kill = nth(
            place..place + 1,
            |part| part.write.is_some(),
            move || {
                if let Some(child) = &mut *hand.lock().expect("no panic") {
                    child.kill().expect("a child to kill");
                }
                Fault::CloseAfter
            },
        );
        let world = with(kill);
        let before = world.server().store().judge(JANE);
        {
            let mut place = victim.lock().expect("no panic");
            let mut command = world.command(&["apply", "--auto-approve"]);
            *place = Some(
                command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program"),
            );
        }
        let status = loop {
            let ended = victim
                .lock()
                .expect("no panic")
                .as_mut()
                .and_then(|child| child.try_wait().expect("a child"));
            match ended {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        assert_eq!(status.code(), None, "it was killed");
        // The tenant does the write after the program is dead, in its own time.
        let store = written(&world, place + 1);
        let now = store.judge(JANE);
        assert!(now == before || now == Some(Verdict::Ok), "{now:?}");
        *victim.lock().expect("no panic") = None;
        world.run(&["apply", "--auto-approve"]).ends(0);
        is_done(&world);
    }
}

/// The tenant once so many writes are done.
fn written(world: &World, count: usize) -> Store {
    for _ in 0..500 {
        let store = world.server().store();
        if store.writes().len() >= count {
            assert_eq!(store.writes().len(), count);
            return store;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{count} writes did not come");
}
