/** Every error the product reports by name: code → HTTP status and title. `docs/reference/errors.md` is checked against it. */
export const ERROR_CODES = {
  MALFORMED: { httpStatus: 400, title: 'Malformed request' },
  UNKNOWN_FIELD: { httpStatus: 400, title: 'Unknown field' },
  UNAUTHORIZED: { httpStatus: 401, title: 'A bearer token is required' },
  FORBIDDEN: { httpStatus: 403, title: 'Not allowed' },
  NOT_FOUND: { httpStatus: 404, title: 'Not found' },
  NO_FEATURE_STATUS: { httpStatus: 404, title: 'No extension reported this feature status' },
  METHOD_NOT_ALLOWED: { httpStatus: 405, title: 'Method not allowed' },
  NOT_ACCEPTABLE: { httpStatus: 406, title: 'No acceptable representation' },
  VETOED: { httpStatus: 409, title: 'Vetoed by an extension' },
  ALREADY_EXISTS: { httpStatus: 409, title: 'Already exists' },
  AMBIGUOUS_NAME: { httpStatus: 409, title: 'The name stands for more than one object' },
  FEATURE_IN_USE: { httpStatus: 409, title: 'Feature in use' },
  CLASS_MISMATCH: { httpStatus: 409, title: 'A feature class does not fit the policies' },
  SINGLE_INSTANCE: { httpStatus: 409, title: 'Only one instance of this feature is allowed' },
  ILLEGAL_TRANSITION: { httpStatus: 409, title: 'Not allowed in this state' },
  SECOND_FORWARDING_EXTENSION: {
    httpStatus: 409,
    title: 'A forwarding extension is already enabled',
  },
  EXTENSION_FAILED: { httpStatus: 409, title: 'The extension failed' },
  INCOMPATIBLE: { httpStatus: 409, title: 'The VM cannot run there' },
  IDEMPOTENCY_MISMATCH: { httpStatus: 409, title: 'Idempotency-Key used with another request' },
  STALE_REVISION: { httpStatus: 412, title: 'The object has changed' },
  TOO_LARGE: { httpStatus: 413, title: 'Too large' },
  UNSUPPORTED_MEDIA_TYPE: { httpStatus: 415, title: 'Unsupported media type' },
  MOF_INVALID: { httpStatus: 422, title: 'The MOF text has errors' },
  SETTINGS_INVALID: { httpStatus: 422, title: 'A setting does not fit its feature class' },
  INVALID_ARGUMENT: { httpStatus: 422, title: 'A value is well-formed but wrong' },
  ABI_INVALID: { httpStatus: 422, title: 'The bytes are not the structure they claim to be' },
  EXTENSION_INVALID: { httpStatus: 422, title: 'The extension module is not usable' },
  RATE_LIMITED: { httpStatus: 429, title: 'Too many requests' },
  INTERNAL: { httpStatus: 500, title: 'Internal error' },
  STORE_UNAVAILABLE: { httpStatus: 503, title: 'The store is not available' },
  STORE_VERSION: { httpStatus: 503, title: 'The store was written by another version' },
  STORE_CORRUPT: { httpStatus: 503, title: 'The store is damaged' },
  HOST_UNREACHABLE: { httpStatus: 503, title: 'The host cannot be reached' },
  LEASE_LOST: { httpStatus: 503, title: 'Another process is this host' },
  SHUTTING_DOWN: { httpStatus: 503, title: 'Shutting down' },
  PORT_IN_USE: { httpStatus: 500, title: 'The address is in use' },
  USAGE: { httpStatus: 400, title: 'Wrong usage' },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What an error names beside its message. Everything is optional; unknown places stay out. */
export interface ErrorPlace {
  /** NDIS status name, e.g. `NDIS_STATUS_DATA_NOT_ACCEPTED`. */
  readonly ndisStatus?: string;
  /** Extension that refused, lower case GUID without braces. */
  readonly extensionId?: string;
  /** OID name, e.g. `OID_SWITCH_PORT_PROPERTY_ADD`. */
  readonly oid?: string;
  /** Rule of the rule book that forbids it, e.g. `B20`. */
  readonly rule?: string;
  /** Source file of a MOF error. */
  readonly file?: string;
  /** 1-based line and column of a MOF or YAML error. */
  readonly line?: number;
  readonly column?: number;
  /** Class member or body field that is wrong. */
  readonly member?: string;
  /** Structure and byte offset of an ABI error. */
  readonly structure?: string;
  readonly offset?: number;
  readonly expected?: string;
  readonly found?: string;
  /** All problems of one run (a MOF file reports every error it has). */
  readonly problems?: readonly Readonly<Record<string, unknown>>[];
}

/** The one error class. `code` comes from {@link ERROR_CODES}; the message names the thing, the place and what was expected. */
export class ExtSwitchError extends Error {
  override readonly name = 'ExtSwitchError';
  readonly code: ErrorCode;
  readonly place: ErrorPlace;

  constructor(code: ErrorCode, message: string, place: ErrorPlace = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.place = place;
  }

  get httpStatus(): number {
    return ERROR_CODES[this.code].httpStatus;
  }

  get title(): string {
    return ERROR_CODES[this.code].title;
  }
}

/** True for our errors, also when a second copy of the package made them. */
export function isExtSwitchError(error: unknown): error is ExtSwitchError {
  try {
    return error instanceof Error && error.name === 'ExtSwitchError' && 'code' in error;
  } catch {
    // What an extension throws may be a proxy, or have getters, that throw in turn.
    return false;
  }
}
