/** A fault code of TR-069 A.5: what it means and whether the same request may succeed later. */
interface FaultRow {
  text: string
  retryable: boolean
}

/** Codes a CPE may answer with (A.5.1). */
export const CPE_FAULTS: Readonly<Record<number, FaultRow>> = {
  9000: { text: 'Method not supported', retryable: false },
  9001: { text: 'Request denied', retryable: false },
  9002: { text: 'Internal error', retryable: true },
  9003: { text: 'Invalid arguments', retryable: false },
  9004: { text: 'Resources exceeded', retryable: true },
  9005: { text: 'Invalid parameter name', retryable: false },
  9006: { text: 'Invalid parameter type', retryable: false },
  9007: { text: 'Invalid parameter value', retryable: false },
  9008: { text: 'Attempt to set a non-writable parameter', retryable: false },
  9009: { text: 'Notification request rejected', retryable: false },
  9010: { text: 'File transfer failure', retryable: true },
  9011: { text: 'Upload failure', retryable: true },
  9012: { text: 'File transfer server authentication failure', retryable: true },
  9013: { text: 'Unsupported protocol for file transfer', retryable: true },
  9014: { text: 'Unable to join multicast group', retryable: true },
  9015: { text: 'Unable to contact file server', retryable: true },
  9016: { text: 'Unable to access file', retryable: true },
  9017: { text: 'Unable to complete download', retryable: true },
  9018: { text: 'File corrupted', retryable: true },
  9019: { text: 'File authentication failure', retryable: true },
  9020: { text: 'Unable to complete download within specified time windows', retryable: true },
  9021: { text: 'Cancelation of file transfer not permitted', retryable: false },
  9022: { text: 'Invalid UUID format', retryable: false },
  9023: { text: 'Unknown execution environment', retryable: false },
  9024: { text: 'Disabled execution environment', retryable: false },
  9025: { text: 'Deployment unit to execution environment mismatch', retryable: false },
  9026: { text: 'Duplicate deployment unit', retryable: false },
  9027: { text: 'System resources exceeded', retryable: true },
  9028: { text: 'Unknown deployment unit', retryable: false },
  9029: { text: 'Invalid deployment unit state', retryable: false },
  9030: { text: 'Invalid deployment unit update: downgrade not permitted', retryable: false },
  9031: { text: 'Invalid deployment unit update: version not specified', retryable: false },
  9032: { text: 'Invalid deployment unit update: version already exists', retryable: false },
}

/** Codes we may answer with (A.5.2). */
export const ACS_FAULTS: Readonly<Record<number, FaultRow>> = {
  8000: { text: 'Method not supported', retryable: false },
  8001: { text: 'Request denied', retryable: false },
  8002: { text: 'Internal error', retryable: true },
  8003: { text: 'Invalid arguments', retryable: false },
  8004: { text: 'Resources exceeded', retryable: true },
  8005: { text: 'Retry request', retryable: true },
  8006: { text: 'ACS version incompatible with CPE', retryable: false },
}

/** The row of a code of either side; vendor codes and unknown ones are not retryable. */
export function faultRow(code: number): FaultRow {
  return CPE_FAULTS[code] ?? ACS_FAULTS[code] ?? { text: `Fault ${code}`, retryable: false }
}
