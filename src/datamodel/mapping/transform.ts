/** One value of the device's own tree. */
export interface RawValue {
  /** Full path with instance numbers. */
  path: string
  value: string
}

/** The facts that a transform gets besides the value. All paths carry instance numbers; objects end in a dot. */
export interface TransformContext {
  /** The source parameter that is read or written. */
  readonly from: string
  /** The target parameter in TR-181. */
  readonly to: string
  /**
   * Returns a value of the device's own tree; undefined where it is not known. In a write it shows what the same request
   * has written before, so that several rows can write items of one list.
   */
  raw(path: string): string | undefined
  /** Returns a value of the TR-181 tree as last mapped; undefined where it is not known. */
  mapped(path: string): string | undefined
  /** Returns the value that the same write gives another parameter of TR-181; undefined outside of writes. */
  requested(path: string): string | undefined
  /** Returns the names one level below an object of the device's own tree, instance numbers in order. */
  children(object: string): readonly string[]
  /**
   * Returns the TR-181 row behind an object of the device's own tree; with `below`, the row in that table of TR-181,
   * e.g. `Device.IP.Interface.` or `Device.Bridging.Bridge.{i}.Port.`, also of an object further up. Undefined where it
   * has none.
   */
  targetOf(object: string, below?: string): string | undefined
  /** Returns the objects of the device's own tree behind a TR-181 row; empty where it has none. */
  sourcesOf(row: string): readonly string[]
  /** Returns the target of a parameter of the device's own tree; undefined where no row maps it. */
  targetOfParameter(path: string): string | undefined
  /** Returns the source of a TR-181 parameter; undefined where it has none. */
  sourceOfParameter(path: string): string | undefined
  /** Returns what was made of the tree and the rows of the device under a key; makes it anew where they have changed. */
  once<T>(key: string, make: () => T): T
  /** Position of the target's row among those that the same object gives in that table, from 0 (servers of a list). */
  readonly position: number
  /** The vendor family of the device, e.g. `huawei`; undefined where none was recognised. */
  readonly family: string | undefined
  /** The reading before this one, where the transform says that it needs it. */
  readonly previous: { raw: string; value: string; at: number } | undefined
  /** Time of the reading, in milliseconds since 1970. */
  readonly at: number
  /** Returns the time at which a value of the device's own tree was read: the one that `raw` returns. */
  readAt(path: string): number
  /** Time at which the device has last reported a boot; undefined where that is not known. */
  readonly bootAt: number | undefined
}

/** A write that has no form on the device; the message says why, and what can be written instead. */
export class MappingRefusal extends Error {
  override readonly name = 'MappingRefusal'
  /** The parameter of the device's own tree that can be written instead. */
  readonly source: string | undefined

  constructor(message: string, source?: string) {
    super(message)
    this.source = source
  }
}

/** Changes a value between the device's own form and that of TR-181. Pure. */
export interface Transform {
  /**
   * Parameters beside the source that `read` looks at, relative to the object of the source (`ConnectionStatus`,
   * `WEPKey.1.WEPKey`): a change of one of them is a change of the target. Not those of other objects.
   */
  reads?: readonly string[]
  /**
   * Returns the parameters that are read together with a source, as far as the device has them: they say what a reading
   * means. Full paths. A change of one of them alone is no change of the target.
   */
  readsWith?(source: string): readonly string[]
  /**
   * Returns the value in TR-181; undefined when the text is no value of it (no reading, not applicable, does not
   * decode). An implausible reading is undefined, never 0.
   */
  read(raw: string, context: TransformContext): string | undefined
  /**
   * Returns the values to write in one SetParameterValues, mostly the one of `context.from`. Throws MappingRefusal when
   * the value has no form on the device. Absent: the value can only be read.
   */
  write?(value: string, context: TransformContext): RawValue[]
  /** True: several targets give one source. Each write adds to what `raw` shows, and the last value counts. */
  merges?: true
  /** True: `read` needs the reading before this one (counters that wrap, dates computed from seconds). */
  needsPrevious?: true
}
