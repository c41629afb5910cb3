//! Each kind of refusal on every wire, in one place.

use tidemill_operations::Code;

/// The HTTP status and the word of a refusal.
pub fn rest(code: Code) -> (u16, &'static str) {
    let status = match code {
        Code::InvalidArgument => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Conflict | Code::FailedPrecondition => 409,
        Code::TooLarge => 413,
        Code::UnsupportedMediaType => 415,
        Code::RateLimited => 429,
        Code::RunFailed => 502,
        Code::Unavailable | Code::DiskFull => 503,
        Code::Internal => 500,
    };
    (status, code.word())
}

/// The word of a refusal for RocketRide's clients, whose codes are in capitals.
pub fn dap(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::Unauthenticated => "UNAUTHENTICATED",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::Conflict => "CONFLICT",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::TooLarge => "TOO_LARGE",
        Code::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
        Code::RateLimited => "RATE_LIMITED",
        Code::RunFailed => "RUN_FAILED",
        Code::Unavailable => "UNAVAILABLE",
        Code::DiskFull => "DISK_FULL",
        Code::Internal => "INTERNAL",
    }
}

/// The status of a refusal by RocketRide's HTTP routes, which know hardly any: what its caller could change is 400.
pub fn rocketride(code: Code) -> u16 {
    match code {
        Code::Unauthenticated => 401,
        Code::InvalidArgument
        | Code::PermissionDenied
        | Code::NotFound
        | Code::AlreadyExists
        | Code::Conflict
        | Code::FailedPrecondition
        | Code::TooLarge
        | Code::UnsupportedMediaType => 400,
        Code::RateLimited => 429,
        Code::RunFailed => 502,
        Code::Unavailable | Code::DiskFull => 503,
        Code::Internal => 500,
    }
}
