//! The dummy cloud passes the suite, fast or slow.

use crate::clouds;

mod instant {
    vmpool_testkit::driver_suite!(super::clouds::harness(super::clouds::instant()));
}

mod slow {
    vmpool_testkit::driver_suite!(super::clouds::harness(super::clouds::slow()));
}

mod with_logins {
    vmpool_testkit::driver_suite!(super::clouds::harness(super::clouds::with_logins()));
}

mod in_real_time {
    vmpool_testkit::driver_suite!(real_time, super::clouds::harness(super::clouds::instant()));
}
