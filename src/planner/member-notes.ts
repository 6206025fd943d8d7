import { AppError, type Clock, type ServiceTime } from '../base/index.ts'
import type { NewEvent, Plan, PlanMember } from '../domain/index.ts'
import type { MemberRunner } from '../rollout/index.ts'
import type { Stored } from './machine/script.ts'
import type { MemberStep } from './machine/transition.ts'

/** The runner of a migration's members. */
export type MigrationRunner = MemberRunner<Plan, PlanMember, MemberStep, Stored>

/** Changes of members that are no event of the machine: silence, and the end after a rollback. */
export class MemberNotes {
  readonly #runner: Pick<MigrationRunner, 'change'>
  readonly #clock: Clock
  readonly #time: ServiceTime

  constructor(runner: Pick<MigrationRunner, 'change'>, { clock, time }: { clock: Clock; time: ServiceTime }) {
    this.#runner = runner
    this.#clock = clock
    this.#time = time
  }

  /**
   * Stores that no attempt follows the rollback of a member. AppError `conflict` when the member is not being rolled
   * back any more, or while another instance works on it.
   */
  async stopAfterRollback(memberId: string): Promise<void> {
    let isStopped = false
    await this.#runner.change(memberId, (member) => {
      if (member.state !== 'ROLLING_BACK')
        throw new AppError('conflict', `the device has become ${member.state} since it was read; repeat the request`)
      isStopped = true
      if (member.facts.afterwards === 'stop') return undefined
      return { member: { ...member, facts: { ...member.facts, afterwards: 'stop' } }, events: [] }
    })
    if (!isStopped)
      throw new AppError('conflict', 'a step of the device is under way; repeat the request in some seconds')
  }

  /** Stores that the Agent of a migrated device is not heard, has been silent for too long, or is heard again. */
  setSilence(memberId: string, silence: 'unheard' | 'silent' | 'heard'): Promise<void> {
    return this.#runner.change(memberId, (before) => {
      const member = before.state === 'MIGRATED' ? this.#withSilence(before, silence) : undefined
      return member === undefined ? undefined : { member, events: this.#events(before, member) }
    })
  }

  #withSilence(member: PlanMember, silence: 'unheard' | 'silent' | 'heard'): PlanMember | undefined {
    const { silentAt, ...rest } = member
    const { silentMs, ...facts } = member.facts
    if (silence === 'heard') return silentAt === undefined && silentMs === undefined ? undefined : { ...rest, facts }
    if (silence === 'unheard') return { ...member, facts: { ...facts, silentMs: this.#time.now() } }
    return silentAt === undefined ? { ...member, silentAt: this.#clock.now() } : undefined
  }

  #events(before: PlanMember, { silentAt, deviceId, planId }: PlanMember): NewEvent[] {
    const silent = silentAt !== undefined
    if (silent === (before.silentAt !== undefined)) return []
    return [{ type: 'member.silent', at: this.#clock.now(), deviceId, planId, data: { silent } }]
  }
}
