import type { Timestamp } from '../timestamp.ts'

/**
 * Reasons for which the Controller closes a link. policy: the Agent is not admitted or broke a rule. tryAgain: it
 * cannot be served now. goingAway: the server stops. unsupported: it sent bytes that are no Record. replaced: a newer
 * link of its Endpoint ID took over. notAnswering: it keeps the link and does not answer. rolledBack: its device is
 * managed over CWMP again.
 */
export const CLOSE_REASONS = [
  'policy',
  'tryAgain',
  'goingAway',
  'unsupported',
  'replaced',
  'notAnswering',
  'rolledBack',
] as const
export type CloseReason = (typeof CLOSE_REASONS)[number]

/**
 * Reasons for which a link ended: those of the Controller, and these. agentClosed: the Agent closed it in the regular
 * way. agentError: the Agent closed it and named an error. connectionLost: it broke without a close. noPong: the Agent
 * did not answer the keep-alive of the MTP. brokenFrames: the Agent broke the rules of the MTP itself.
 */
const LINK_ENDS = [...CLOSE_REASONS, 'agentClosed', 'agentError', 'connectionLost', 'noPong', 'brokenFrames'] as const
export type LinkEnd = (typeof LINK_ENDS)[number]

/**
 * serverDied: the server instance that held the link is gone. unknown: nothing noted the end, and the link is not
 * there.
 */
export const DISCONNECT_REASONS = [...LINK_ENDS, 'serverDied', 'unknown'] as const
export type DisconnectReason = (typeof DISCONNECT_REASONS)[number]

/** The last end of a device's USP link. */
export interface Disconnect {
  at: Timestamp
  reason: DisconnectReason
}
