/** A USP error code (TR-369 Table "Error codes"): its meaning and whether the same request may succeed later. */
interface UspErrorRow {
  text: string
  retryable: boolean
}

const row = (text: string, retryable = false): UspErrorRow => ({ text, retryable })

/** Codes of Messages (7000-7031) and of Records (7100-7106). */
const USP_ERRORS: Readonly<Record<number, UspErrorRow>> = {
  7000: row('Message failed', true),
  7001: row('Message not supported'),
  7002: row('Request denied'),
  7003: row('Internal error', true),
  7004: row('Invalid arguments'),
  7005: row('Resources exceeded', true),
  7006: row('Permission denied'),
  7007: row('Invalid configuration'),
  7008: row('Invalid path syntax'),
  7009: row('Parameter action failed'),
  7010: row('Unsupported parameter'),
  7011: row('Invalid type'),
  7012: row('Invalid value'),
  7013: row('Attempt to update non-writeable parameter'),
  7014: row('Value conflict'),
  7015: row('Operation error'),
  7016: row('Object does not exist'),
  7017: row('Object could not be created'),
  7018: row('Object is not a table'),
  7019: row('Attempt to create non-creatable object'),
  7020: row('Object could not be updated'),
  7021: row('Required parameter failed'),
  7022: row('Command failure', true),
  7023: row('Command canceled'),
  7024: row('Delete failure'),
  7025: row('Object exists with duplicate key'),
  7026: row('Invalid path'),
  7027: row('Invalid command arguments'),
  7028: row('Register failure'),
  7029: row('Already in use'),
  7030: row('Deregister failure'),
  7031: row('Path already registered by another'),
  7100: row('Record could not be parsed'),
  7101: row('Secure session required'),
  7102: row('Secure session not supported'),
  7103: row('Segmentation and reassembly not supported'),
  7104: row('Invalid Record value'),
  7105: row('Session context terminated'),
  7106: row('Session context not allowed'),
}

/** The row of a code; vendor codes are taken as final. */
export function uspErrorRow(code: number): UspErrorRow {
  return USP_ERRORS[code] ?? { text: `Error ${code}`, retryable: false }
}
