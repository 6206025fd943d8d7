import type { DeviceId } from '../id.ts'
import type { Protocol } from '../protocol.ts'
import type { Timestamp } from '../timestamp.ts'

/** The types of events in the feed. Names are `subject.whatHappened`. */
export const EVENT_TYPES = [
  'device.registered',
  'device.bound',
  'device.unbound',
  'device.conflict',
  'device.conflictResolved',
  'device.ownerChanged',
  'device.booted',
  'device.bootstrapped',
  'device.firmwareChanged',
  'device.connected',
  'device.disconnected',
  'device.silent',
  'device.linkChanged',
  'device.linkReleased',
  'device.answering',
  'device.refused',
  'device.discoveryIncomplete',
  'device.objectCut',
  'device.credentialReissued',
  'device.deleted',
  'agent.refused',
  'agent.blocked',
  'agent.unblocked',
  'supportedModel.contradicted',
  'supportedModel.deleted',
  'mappingRows.changed',
  'bridge.registered',
  'bridge.deleted',
  'router.stateChanged',
  'parameter.changed',
  'object.created',
  'object.deleted',
  'device.notified',
  'operation.queued',
  'operation.finished',
  'plan.changed',
  'member.changed',
  'member.silent',
] as const
export type EventType = (typeof EVENT_TYPES)[number]

/** An event before the log has given it an id. */
export interface NewEvent {
  type: EventType
  at: Timestamp
  deviceId?: DeviceId
  protocol?: Protocol
  /** Group or plan it belongs to, for filtering. */
  planId?: string
  groupId?: string
  /** Small, JSON-safe facts; never secrets. */
  data: Record<string, unknown>
}

/**
 * An event in the log; ids sort in commit order, so the last one seen is where a reader resumes (SSE Last-Event-ID).
 */
export interface FeedEvent extends NewEvent {
  id: string
}
