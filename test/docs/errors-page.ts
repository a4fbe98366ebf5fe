import { ERROR_CODES, type ErrorCode } from '../../src/core/errors.ts';

/** When each error is given: one sentence for the person who got it. */
export const WHEN: Readonly<Record<ErrorCode, string>> = {
  MALFORMED:
    'The request, its body or a file is not what its format says: no JSON, no MessagePack, a field of the wrong type.',
  UNKNOWN_FIELD:
    'The body or the query has a field the route does not know, or the options of a call of the library one that the call does not; it is named.',
  UNAUTHORIZED: 'The server wants a bearer token, and none, or another one, came.',
  FORBIDDEN:
    'The request comes from a page or a host name that may not use this server, the server holds as many worlds as it may, or the system lets it not listen there.',
  NOT_FOUND:
    'No world, switch, port, NIC, property, class, extension or route has this id or name.',
  NO_FEATURE_STATUS:
    'No extension answered the feature status query with success; `ndisStatus` says what came instead (rules F12, F13).',
  METHOD_NOT_ALLOWED: 'The path exists, with other methods.',
  NOT_ACCEPTABLE: 'The Accept header allows nothing the server can send.',
  VETOED:
    'An extension completed the OID with an error, or held it until the switch ended it, or the hardware below the switch refused; nothing was changed (rules E16, E17).',
  ALREADY_EXISTS: 'A name, an id or the UUID of a class is taken.',
  AMBIGUOUS_NAME: 'More than one object has this name; its id is needed.',
  FEATURE_IN_USE:
    'The class is built in, or has instances: it can be neither removed nor replaced by a newer version.',
  CLASS_MISMATCH:
    'A portable document has policies of a class that is here in an older version, with another uint16 form, or with other members under the same version; both are named. Or a class is registered by which a policy that is kept unread here (`opaque`) could not be read; the policy is named.',
  SINGLE_INSTANCE:
    'The owner has an instance of this built-in class, of which it can have one: update that one.',
  ILLEGAL_TRANSITION: 'A rule of the switch forbids it in the present state; `rule` names it.',
  SECOND_FORWARDING_EXTENSION: 'A switch runs at most one forwarding extension (rule A41).',
  EXTENSION_FAILED:
    'The extension threw while it was attached or restarted, or answered a query with bytes that are not its class.',
  INCOMPATIBLE:
    'A migration or an import would fail; `problems` has everything that stands against it (the compatibility report).',
  IDEMPOTENCY_MISMATCH: 'The Idempotency-Key was used with another request before.',
  STALE_REVISION:
    'The object has another revision than If-Match or `ifRevision` says: somebody changed it meanwhile.',
  TOO_LARGE: 'The body, a header, or an input is larger than the limit that the message names.',
  UNSUPPORTED_MEDIA_TYPE: 'The route does not take a body of this Content-Type.',
  MOF_INVALID: 'The MOF text has errors; `problems` has all of them with line, column and hint.',
  SETTINGS_INVALID:
    'A value does not fit its class: `member` names it, `expected` and `found` say how.',
  INVALID_ARGUMENT:
    'A value is well-formed and still wrong: out of range, of the wrong scope, not a GUID.',
  ABI_INVALID:
    'Bytes are shorter than their structure, or a length or an offset in them leads outside: structure, member and offset are named.',
  EXTENSION_INVALID:
    'The extension module does not export a usable definition, or its MOF belongs to another extension (rule A32).',
  RATE_LIMITED:
    'The client sends more requests, or keeps more event streams open, than it may; Retry-After says when to come back.',
  INTERNAL:
    'A fault of extswitch itself; the log of the server has the details under the request id.',
  STORE_UNAVAILABLE:
    'The store cannot be opened or written: permissions, no space, in use by another process. The change was undone.',
  STORE_VERSION: 'The store folder was written by a newer version of extswitch.',
  STORE_CORRUPT:
    'The store folder is not a store, or its files are damaged; nothing in it was touched.',
  HOST_UNREACHABLE:
    'Another host of the cluster is not alive, or did not answer in time. Nothing was decided without it: try again, or name another host.',
  LEASE_LOST:
    'The lease of this host ran out, or another process of the same name took it over. Ask again, or at another host.',
  SHUTTING_DOWN: 'The server takes no new requests any more.',
  PORT_IN_USE: 'The address or port to listen on is taken.',
  USAGE: 'The command line or a setting is wrong; the process ends with exit code 2.',
};

/** Text of docs/reference/errors.md. */
export function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { httpStatus, title }]) =>
      `| \`${code}\` | ${httpStatus} | ${title} | ${WHEN[code as ErrorCode]} |`,
  );
  return `# Errors

<!-- Written by test/docs/errors.test.ts from src/core/errors.ts: change it there, then UPDATE_GOLDEN=1. -->

Every error the product reports has one of these codes: the library throws an \`ExtSwitchError\` with \`code\` and \`place\`,
HTTP answers \`application/problem+json\` with \`type\` \`urn:extswitch:error:CODE\`, the status and the title, and the members
of \`place\` beside them. \`place\` names what is known of: \`ndisStatus\`, \`extensionId\`, \`oid\`, \`rule\` (of the rule book),
\`file\`, \`line\`, \`column\`, \`member\`, \`structure\`, \`offset\`, \`expected\`, \`found\`, \`problems\`.

| code | HTTP | title | when |
|---|---|---|---|
${rows.join('\n')}
`;
}
