//! The parts that touch neither network nor clock: `cargo bench --bench pure`.
//!
//! Not here: the whole program (`benches/whole_program.py`, `benches/whole_apply.py`).

mod posture;

use divan::{Bencher, black_box};
use mfactl::id::UserId;
use mfactl::number::PhoneNumber;
use mfactl::tenant::directory::{Account, Country, Directory, User, UserIndex};
use mfactl::tenant::user_set::UserSet;
use uuid::Uuid;

fn main() {
    divan::main();
}

fn people(count: usize) -> Vec<User> {
    let user = |place: usize| User {
        id: UserId::from_uuid(Uuid::from_u128((place as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15))),
        name: format!("User{}.{place}@exchangelabs.nl", place % 977).into(),
        account: Account { enabled: true, ..Account::default() },
        usage_location: None,
        country: Country::None,
        department: None,
        attributes: Box::default(),
    };
    (0..count).map(user).collect()
}

#[divan::bench(args = [10_000, 100_000])]
fn a_directory_is_made(bencher: Bencher<'_, '_>, count: usize) {
    bencher.with_inputs(|| people(count)).bench_values(|users| Directory::new(users, Vec::new()));
}

#[divan::bench(args = [10_000, 100_000])]
fn a_user_is_found_by_id(bencher: Bencher<'_, '_>, count: usize) {
    let users = people(count);
    let id = users.get(count / 3).map(|user| user.id);
    let directory = Directory::new(users, Vec::new());
    bencher.bench(|| id.and_then(|id| directory.find(black_box(id))));
}

#[divan::bench(args = [100_000])]
fn two_crowds_are_joined(bencher: Bencher<'_, '_>, count: usize) {
    let other = UserSet::of(count, (0..count).step_by(3).map(UserIndex::new));
    bencher.with_inputs(|| UserSet::nobody(count)).bench_refs(|crowd| crowd.join(&other));
}

#[divan::bench]
fn a_number_is_read_from_graph() -> Option<PhoneNumber> {
    PhoneNumber::from_graph(black_box("+31 612345678")).ok()
}
