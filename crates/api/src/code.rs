//! The codes of problems: stable text for programs, each with its HTTP status and exit code.

use crate::exit;

/// One code with what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The text in [`Problem::code`](crate::Problem::code).
    pub text: &'static str,
    /// The HTTP status that it comes with.
    pub status: u16,
    /// What a command line exits with.
    pub exit: u8,
    /// What the code means, in a few words that do not change from one occurrence to the next.
    pub title: &'static str,
}

macro_rules! codes {
    ($($name:ident = $text:literal, $status:literal, $exit:ident, $title:literal;)*) => {
        $(
            #[doc = concat!("`", $text, "`, with status ", stringify!($status), ": ", $title, ".")]
            pub const $name: Code = Code { text: $text, status: $status, exit: exit::$exit, title: $title };
        )*

        /// All codes.
        pub const ALL: &[Code] = &[$($name,)*];
    };
}

codes! {
    INVALID_REQUEST = "invalid_request", 400, USAGE, "the request cannot be understood";
    API_VERSION = "api_version", 400, VERSION, "client and daemon speak different versions of the API";
    UNAUTHENTICATED = "unauthenticated", 401, DENIED, "the daemon does not know who asks";
    FORBIDDEN = "forbidden", 403, DENIED, "who asks may not do this";
    NO_ROUTE = "no_route", 404, NOT_FOUND, "there is nothing at this path";
    UNKNOWN_POOL = "unknown_pool", 404, NOT_FOUND, "there is no such pool";
    UNKNOWN_VM = "unknown_vm", 404, NOT_FOUND, "there is no such VM";
    UNKNOWN_LEASE = "unknown_lease", 404, NOT_FOUND, "there is no such lease";
    UNKNOWN_REQUEST = "unknown_request", 404, NOT_FOUND, "there is no such request";
    UNKNOWN_PROVIDER = "unknown_provider", 404, NOT_FOUND, "there is no such provider";
    UNKNOWN_LABEL = "unknown_label", 404, NOT_FOUND, "no pool has these labels";
    UNKNOWN_TOKEN = "unknown_token", 404, NOT_FOUND, "there is no such token";
    TOKEN_EXISTS = "token_exists", 409, REFUSED, "there is a token of this name";
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, REFUSED, "this path does not take this method";
    REQUEST_TIMEOUT = "request_timeout", 408, UNREACHABLE, "the request did not arrive in time";
    INVALID_STATE = "invalid_state", 409, REFUSED, "the state of the VM forbids it";
    STALE_FENCE = "stale_fence", 409, REFUSED, "the fencing token is that of another lease";
    POOL_DRAINED = "pool_drained", 409, REFUSED, "the pool is being drained";
    NO_MASS_LOSS = "no_mass_loss", 409, REFUSED, "there is no loss to accept";
    RECORD_UNREADABLE = "record_unreadable", 409, REFUSED, "a record cannot be read, and is not written over";
    REQUEST_CONFLICT = "request_conflict", 409, REFUSED, "the request id was used for another request";
    REQUEST_CANCELLED = "request_cancelled", 409, REFUSED, "the request was cancelled";
    REQUEST_TURNED_AWAY = "request_turned_away", 409, REFUSED, "the request waited until nobody could serve it any more";
    REQUEST_ENDED = "request_ended", 410, REFUSED, "the request was served and its lease has ended";
    TOO_LARGE = "too_large", 413, REFUSED, "the body is too large";
    URI_TOO_LONG = "uri_too_long", 414, REFUSED, "the path and query are too long";
    HEAD_TOO_LARGE = "head_too_large", 431, REFUSED, "the head is too large or has too many fields";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, USAGE, "the body is not declared as JSON";
    WRONG_HOST = "wrong_host", 421, REFUSED, "the daemon does not answer to this name";
    TTL_OUT_OF_RANGE = "ttl_out_of_range", 422, USAGE, "the time to live is not allowed";
    INVALID_CONFIG = "invalid_config", 422, CONFIG, "the configuration does not fit, and the one before stays";
    PROVIDER = "provider", 502, PROVIDER, "a provider cannot be used";
    NO_CONFIG_FILE = "no_config_file", 409, REFUSED, "the daemon was started without a configuration file";
    NEEDS_RESTART = "needs_restart", 409, REFUSED, "the daemon must be restarted for this";
    NEVER_POSSIBLE = "never_possible", 422, REFUSED, "no pool can ever serve the request";
    COUNT_OUT_OF_RANGE = "count_out_of_range", 422, USAGE, "there can never be as many VMs at once";
    OWNER_LIMIT = "owner_limit", 409, REFUSED, "the owner may not hold as many VMs";
    REFUSED = "refused", 409, REFUSED, "the daemon refused";
    INTERNAL = "internal", 500, DAEMON, "the daemon failed";
    STORE = "store", 500, STORE, "the records cannot be read or written";
    NO_VM = "no_vm", 503, NO_VM, "no VM is ready";
    QUEUE_FULL = "queue_full", 503, NO_VM, "as many requests wait as may wait";
    TOO_MANY = "too_many", 503, UNREACHABLE, "as many ask at once as may ask";
    SHUTTING_DOWN = "shutting_down", 503, UNREACHABLE, "the daemon is stopping";
    STORE_FULL = "store_full", 507, STORE, "the disk of the records is full";
    WAIT_TIMED_OUT = "wait_timed_out", 504, NO_VM, "no VM became ready in time";
}

/// Returns the code with this text, if this version knows it.
#[must_use]
pub fn find(text: &str) -> Option<Code> {
    ALL.iter().copied().find(|code| code.text == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_text_alone() {
        for code in ALL {
            assert_eq!(find(code.text), Some(*code));
        }
    }

    #[test]
    fn every_code_is_an_error_in_http_and_on_the_command_line() {
        for code in ALL {
            assert!(400 <= code.status && code.exit != exit::OK, "{code:?}");
        }
    }
}
