import { AppError } from '../../base/index.ts'
import type { MtpRows } from './port/index.ts'
import { WEBSOCKET_ROWS } from './websocket/index.ts'

/** The MTP of plans that name none. */
const FIRST = WEBSOCKET_ROWS
/** All MTPs, one entry each. */
export const MTPS: readonly MtpRows[] = [FIRST]

/**
 * Returns the MTP with this `Protocol`; the first one without a name. AppError `invalid` when the table has no such
 * MTP.
 */
export function mtpOf(protocol: string | undefined): MtpRows {
  const found = protocol === undefined ? FIRST : MTPS.find((mtp) => mtp.protocol === protocol)
  if (found === undefined)
    throw new AppError(
      'invalid',
      `there is no MTP ${protocol}: the table names ${MTPS.map((mtp) => mtp.protocol).join(', ')}`,
    )
  return found
}
