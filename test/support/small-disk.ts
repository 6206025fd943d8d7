import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of its own with a bound, in memory. */
export class SmallDisk {
  readonly folder = mkdtempSync(join(tmpdir(), 'isthmus-disk-'))

  /** Undefined where this user may not mount. */
  static mount(megabytes: number): SmallDisk | undefined {
    const disk = new SmallDisk()
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', disk.folder], { stdio: 'pipe' })
      return disk
    } catch {
      rmSync(disk.folder, { recursive: true, force: true })
      return undefined
    }
  }

  /** Leaves no room but this. */
  fill(leaveBytes: number): void {
    const { bavail, bsize } = statfsSync(this.folder)
    const block = Buffer.alloc(1024 * 1024)
    const file = openSync(join(this.folder, 'filler'), 'w')
    for (let left = bavail * bsize - leaveBytes; left > 0; left -= block.length)
      writeSync(file, block, 0, Math.min(left, block.length))
    closeSync(file)
  }

  clear(): void {
    rmSync(join(this.folder, 'filler'))
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.folder], { stdio: 'pipe' })
    rmSync(this.folder, { recursive: true, force: true })
  }
}
