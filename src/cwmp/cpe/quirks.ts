/** Faults that a simulated CPE makes on purpose, as devices in the field make them. */
export interface CpeQuirks {
  /** GetParameterValues of more names than this is answered with 9002. */
  fault9002Above?: number
  /** A GetParameterValues of more names than this, or of everything below the root, is answered by a cut connection. */
  cutsAbove?: number
  /** Names that match are listed by GetParameterNames and answered with 9005 when they are read. */
  ghosts?: string
  /** An empty table is answered with 9005 instead of nothing. */
  emptyTable9005?: boolean
  /** Values come without xsi:type. */
  emptyTypes?: boolean
  /** Every value is an xsd:string. */
  allStrings?: boolean
  /** Booleans are accepted and sent as `true` and `false` only. */
  booleanLiterals?: boolean
  noCookies?: boolean
  /** Every request over a TCP connection of its own, with `Connection: close`. */
  newConnections?: boolean
  /** Credentials only after a 401, each time. */
  authAfter401?: boolean
  /** `1 BOOT` after a commanded reboot comes without `M Reboot`. */
  noRebootEvent?: boolean
  /** Waits this long before each answer. */
  answerDelayMs?: number
  /** Writes to paths that match are refused with this fault. */
  rejectWrites?: { pattern: string; code: number }
  /** The session is cut after this many requests, at random. */
  dropAfterRequests?: number
}

/** Returns the xsi:type that a CPE sends for a value of this type. */
export function typeOnWire(quirks: CpeQuirks, type: string): string {
  if (quirks.emptyTypes === true) return ''
  return quirks.allStrings === true ? 'string' : type
}
