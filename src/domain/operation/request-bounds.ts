/**
 * Bounds of one operation request. A larger request is refused, never cut; the API shows the same numbers in its
 * description. Lengths are in characters.
 */
export const REQUEST_BOUNDS = {
  /** Paths of one get. */
  paths: 256,
  /** Parameters of one set, or of the row of one add. */
  values: 256,
  /** Rows of one delete or add. */
  rows: 64,
  /** References of one subscription. */
  references: 32,
  /** Arguments of one command. */
  arguments: 64,
  /** As long as a path can be (datamodel/path.ts). */
  pathLength: 1024,
  /** A parameter name relative to its row, or the name of an argument. */
  nameLength: 256,
  valueLength: 32_768,
  /** All paths and values of one set together. */
  totalLength: 1_048_576,
  /** Levels below the object of a get. */
  depth: 20,
  /** `Subscription.{i}.ID` (TR-181). */
  subscriptionIdLength: 64,
  /** One entry of `Subscription.{i}.ReferenceList` (TR-181). */
  referenceLength: 256,
  /** TR-069 A.3.2.8. */
  download: { url: 256, fileType: 64, username: 256, password: 256, targetFileName: 256, version: 64 },
  /** Names of a template of scripts and of its parameters, and a value of them. */
  script: { name: 64, parameters: 16, value: 1024 },
  /** URLs of packages of one upgrade, and the length of each. */
  packages: 32,
  packageUrlLength: 512,
  /** An unsignedInt (TR-069 A.3.2.8). */
  fileSize: 2 ** 32 - 1,
  idempotencyKey: 200,
  /** Longest time that an operation may wait for its device, in milliseconds. */
  expiresMs: 30 * 86_400_000,
} as const
