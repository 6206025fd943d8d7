/** The engine's bounds and waiting times; every time in milliseconds. */
export interface OperationLimits {
  /** Operations that run at once over all devices. */
  maxExecuting: number
  /** Open operations one device may have. */
  maxQueuedPerDevice: number
  /** How often an operation that certainly did not leave is put back before it fails. */
  maxAttempts: number
  /** How often settling by reading is tried before the outcome stays unknown for good. */
  maxReconcileAttempts: number
  /** How long a queued operation waits for its device unless it says otherwise. */
  expiresInMs: number
  /** How long one execution may take; discoveries have their own. */
  executeTimeoutMs: number
  discoverTimeoutMs: number
  /** A lost answer of a command, reboot or reset that no completion explained by then is final: outcomeUnknown. */
  unknownTimeoutMs: number
  /** The same for an accepted reboot or reset (outcome pending). An Agent is asked that often whether an accepted command still runs. */
  pendingTimeoutMs: number
  /** The same for an accepted command whose row the Agent still shows among its Requests, or of which it shows none. */
  commandTimeoutMs: number
  /** The same for a diagnostic that a CPE runs: it may tell the end with its next periodic Inform only. */
  diagnosticTimeoutMs: number
  /** The same for an accepted download: fetching and flashing a file takes its time. */
  downloadTimeoutMs: number
  /** How long after a boot an expected firmware version may take to show, or a TransferComplete to come. */
  afterBootMs: number
  /** A write whose outcome could not be read for so long, because the device never came back, ends as outcomeUnknown. */
  lostTimeoutMs: number
  /** After this time reads pass a reboot, reset or download that was sent and whose end is not known. */
  readsPassMs: number
  /** How long a link rests after a transport error before its next operation. */
  restMs: number
  /** How long a CWMP session is held while its device is busy over the other protocol. */
  quietMs: number
  /** Pauses between attempts to wake a device: grows from the first to the last, then no more attempts. */
  wakeRetryMs: readonly number[]
  /** A device with waiting work is asked to come again after this time. */
  wakeAgainMs: number
  /** How often `wait` looks at the store, for operations that another instance finishes. */
  waitPollMs: number
  /** Pause between two checks of links for operations that another instance stored, and links per check. */
  linkCheckMs: number
  linkCheckCount: number
  /** Pause between two checks for operations that this instance sent and whose outcome it could not store. */
  lostCheckMs: number
  /** How long `stop` lets running executions finish. */
  stopMs: number
}

/** Values for production; tests and the root override single ones. */
export const DEFAULT_LIMITS: OperationLimits = {
  maxExecuting: 256,
  maxQueuedPerDevice: 64,
  maxAttempts: 5,
  maxReconcileAttempts: 5,
  expiresInMs: 3_600_000,
  executeTimeoutMs: 60_000,
  discoverTimeoutMs: 600_000,
  unknownTimeoutMs: 600_000,
  pendingTimeoutMs: 600_000,
  commandTimeoutMs: 86_400_000,
  diagnosticTimeoutMs: 7_200_000,
  downloadTimeoutMs: 3_600_000,
  afterBootMs: 120_000,
  lostTimeoutMs: 86_400_000,
  readsPassMs: 30_000,
  restMs: 1_000,
  quietMs: 10_000,
  wakeRetryMs: [2_000, 5_000, 15_000, 30_000, 60_000],
  wakeAgainMs: 300_000,
  waitPollMs: 1_000,
  linkCheckMs: 1_000,
  linkCheckCount: 100,
  lostCheckMs: 10_000,
  stopMs: 10_000,
}
