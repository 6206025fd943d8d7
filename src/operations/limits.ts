/** Bounds and times of the engine; all times are in milliseconds. */
export interface OperationLimits {
  /** Number of operations that run at the same time, over all devices. */
  maxExecuting: number
  /** Number of open operations of one device. */
  maxQueuedPerDevice: number
  /** Number of attempts of an operation that was not sent; then it fails with `unreachable`. */
  maxAttempts: number
  /** Number of attempts to reconcile by reading; then the operation fails with `outcomeUnknown`. */
  maxReconcileAttempts: number
  /** Time that a queued operation waits for its device when the request names no other. */
  expiresInMs: number
  /** Time of one execution; a discovery has its own. */
  executeTimeoutMs: number
  discoverTimeoutMs: number
  /**
   * Time after which a command, reboot or reset whose answer was lost, and that no completion ended, fails with
   * `outcomeUnknown`.
   */
  unknownTimeoutMs: number
  /**
   * The same for an accepted reboot or reset (outcome pending). Also the pause after which an Agent is asked whether an
   * accepted command still runs.
   */
  pendingTimeoutMs: number
  /** The same for an accepted command whose row the Agent still shows among its Requests, or that has no such row. */
  commandTimeoutMs: number
  /** The same for a diagnostic of a CPE, which may report the end in its next periodic Inform only. */
  diagnosticTimeoutMs: number
  /** The same for an accepted download: the device fetches and installs the file. */
  downloadTimeoutMs: number
  /**
   * Time after a boot within which the expected firmware version or the TransferComplete has to be reported; and after a
   * boot that is another one than that of a reboot or reset, the boot of that.
   */
  afterBootMs: number
  /**
   * Time after which a write whose outcome was not read, because the device was not in contact, fails with
   * `outcomeUnknown`.
   */
  lostTimeoutMs: number
  /** Time after which reads may run beside a reboot, reset or download that was sent and has not ended. */
  readsPassMs: number
  /** Time for which a link is not used after a transport failure. */
  restMs: number
  /** Time for which a CWMP session is held while its device is busy over the other protocol. */
  quietMs: number
  /** Pauses between the attempts to wake a device, growing; no attempt follows the last. */
  wakeRetryMs: readonly number[]
  /** Pause after which a device with waiting operations is asked again to connect. */
  wakeAgainMs: number
  /** Longest pause between two reads of `wait`, for operations that another instance ends. */
  waitPollMs: number
  /** Pause between two checks of links for operations that another instance stored, and links per check. */
  linkCheckMs: number
  linkCheckCount: number
  /** Pause between two checks for operations that this instance sent and whose outcome it could not store. */
  lostCheckMs: number
  /** Time for which `stop` lets running executions end. */
  stopMs: number
}

/** Values for production; tests override some. */
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
