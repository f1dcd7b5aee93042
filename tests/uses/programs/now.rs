// now.rs - what a Rust program sees of the time: its clock, that of a thread, and a wait on a condition.
use std::sync::{Condvar, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn shows(name: &str) {
    let t = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    println!("{} {:.3}", name, t.as_secs_f64());
}

fn main() {
    shows("now");
    std::thread::spawn(|| shows("thread")).join().unwrap();
    println!("wait condition");
    let lock = Mutex::new(());
    let _ = Condvar::new().wait_timeout(lock.lock().unwrap(), Duration::from_secs(1));
    println!("waited condition");
}
