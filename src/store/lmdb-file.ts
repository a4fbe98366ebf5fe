import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * A look through an LMDB data file before LMDB maps it: LMDB believes what it reads, and a file that was cut short or
 * overwritten would crash the process. Every page that can be reached from the newest meta page is read and its place,
 * kind and bounds are checked; the totals must be those of the meta page.
 *
 * Layout: liblmdb `mdb.c` as in lmdb-js 3.5 (MDB_DATA_VERSION 2, 64-bit, little endian). The file may rightly be shorter
 * than its page count, when the last pages are free ones that were never written; so length alone proves nothing.
 */

/** What is wrong with a data file, as a phrase for people. */
export class LmdbFileDamage extends Error {
  override readonly name = 'LmdbFileDamage';
}

const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const PAGE_HEADER = 24;
const META_END = PAGE_HEADER + 136;
const P_BRANCH = 0x01;
const P_LEAF = 0x02;
const P_OVERFLOW = 0x04;
const P_META = 0x08;
const F_BIGDATA = 0x01;
const NODE_HEADER = 8;
/** Key kind of the free list (lmdb.h). */
const MDB_INTEGERKEY = 0x08;
const NEW_PAGE_BYTES = 4096;
/** LMDB maps this much at first and more as the file grows. */
const NEW_MAP_BYTES = 0x2_0000n;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

interface Tree {
  readonly name: string;
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
  readonly root: number | undefined;
}

interface Meta {
  readonly pageBytes: number;
  readonly lastPage: number;
  readonly transaction: bigint;
  readonly trees: readonly [free: Tree, main: Tree];
}

/** Throws {@link LmdbFileDamage} when the data file cannot be trusted, and the file system's error when it cannot be read. */
export function checkLmdbFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    new FileWalk(file).check();
  } finally {
    closeSync(file);
  }
}

/**
 * The bytes of a data file without records: two equal meta pages (`mdb_env_init_meta`). We write them ourselves because
 * lmdb-js 3.5 crashes when LMDB's own attempt to write them fails, as it does on a full disk.
 */
export function emptyLmdbFile(): Buffer {
  const bytes = Buffer.alloc(2 * NEW_PAGE_BYTES);
  for (const page of [0, 1]) {
    const at = page * NEW_PAGE_BYTES;
    bytes.writeBigUInt64LE(BigInt(page), at);
    bytes.writeUInt16LE(P_META, at + 18);
    bytes.writeUInt32LE(MAGIC, at + 24);
    bytes.writeUInt32LE(DATA_VERSION, at + 28);
    bytes.writeBigUInt64LE(NEW_MAP_BYTES, at + 40);
    bytes.writeUInt32LE(NEW_PAGE_BYTES, at + 48);
    bytes.writeUInt16LE(MDB_INTEGERKEY, at + 52);
    bytes.writeBigUInt64LE(NO_PAGE, at + 88);
    bytes.writeBigUInt64LE(NO_PAGE, at + 136);
    bytes.writeBigUInt64LE(1n, at + 144);
  }
  return bytes;
}

class FileWalk {
  readonly #file: number;
  readonly #fileBytes: number;
  readonly #meta: Meta;
  /** One page for each level of the tree that is being walked. */
  readonly #pageBuffers: Buffer[] = [];
  readonly #overflowHeader = Buffer.alloc(PAGE_HEADER);
  #counts = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 };

  constructor(file: number) {
    this.#file = file;
    this.#fileBytes = fstatSync(file).size;
    this.#meta = this.#readMetas();
  }

  check(): void {
    for (const tree of this.#meta.trees) this.#checkTree(tree);
  }

  #readMetas(): Meta {
    if (this.#fileBytes === 0) throw new LmdbFileDamage('it is empty');
    const first = this.#readMeta(0);
    const second = this.#readMeta(first.pageBytes);
    if (second.pageBytes !== first.pageBytes) {
      throw new LmdbFileDamage('its two meta pages name different page sizes');
    }
    return second.transaction > first.transaction ? second : first;
  }

  #readMeta(offset: number): Meta {
    const bytes = this.#read(offset, Buffer.alloc(META_END));
    if (bytes.readUInt32LE(PAGE_HEADER) !== MAGIC || (bytes.readUInt16LE(18) & P_META) === 0) {
      throw new LmdbFileDamage(`there is no LMDB meta page at byte ${offset}`);
    }
    const version = bytes.readUInt32LE(PAGE_HEADER + 4) & 0xffff;
    if (version !== DATA_VERSION) {
      throw new LmdbFileDamage(`its LMDB data version is ${version}, expected ${DATA_VERSION}`);
    }
    const pageBytes = bytes.readUInt32LE(48);
    if (pageBytes < 256 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) {
      throw new LmdbFileDamage(`its page size is ${pageBytes}`);
    }
    return {
      pageBytes,
      lastPage: Number(bytes.readBigUInt64LE(144)),
      transaction: bytes.readBigUInt64LE(152),
      trees: [readTree('free list', bytes, 48), readTree('records', bytes, 96)],
    };
  }

  #checkTree(tree: Tree): void {
    const counts = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 };
    this.#counts = counts;
    if (tree.root !== undefined) this.#checkPage(tree, tree.root, 1);
    for (const name of ['branchPages', 'leafPages', 'overflowPages', 'entries'] as const) {
      if (counts[name] !== tree[name]) {
        throw new LmdbFileDamage(
          `its ${tree.name} tree has ${counts[name]} ${name}, expected ${tree[name]}`,
        );
      }
    }
  }

  #checkPage(tree: Tree, page: number, level: number): void {
    const isLeaf = level === tree.depth;
    const bytes = this.#readPage(page, 1, isLeaf ? P_LEAF : P_BRANCH, this.#pageBuffer(level));
    const { pageBytes } = this.#meta;
    const lower = bytes.readUInt16LE(20);
    const upper = bytes.readUInt16LE(22) + PAGE_HEADER;
    const nodeCount = lower >> 1;
    if (PAGE_HEADER + lower > upper || upper > pageBytes || nodeCount === 0) {
      throw new LmdbFileDamage(`page ${page} has impossible bounds`);
    }
    if (isLeaf) this.#counts.leafPages++;
    else this.#counts.branchPages++;
    // A cycle would visit more pages than the tree has.
    if (this.#counts.leafPages > tree.leafPages || this.#counts.branchPages > tree.branchPages) {
      throw new LmdbFileDamage(`its ${tree.name} tree has more pages than it should`);
    }
    for (let i = 0; i < nodeCount; i++) {
      const node = bytes.readUInt16LE(PAGE_HEADER + 2 * i) + PAGE_HEADER;
      if (node < upper || node + NODE_HEADER > pageBytes) {
        throw new LmdbFileDamage(`node ${i} of page ${page} is out of bounds`);
      }
      if (isLeaf) this.#checkLeafNode(bytes, page, node);
      else {
        const child = bytes.readUInt32LE(node) + bytes.readUInt16LE(node + 4) * 0x1_0000_0000;
        this.#checkPage(tree, child, level + 1);
      }
    }
  }

  #checkLeafNode(bytes: Buffer, page: number, node: number): void {
    this.#counts.entries++;
    const dataBytes = bytes.readUInt32LE(node);
    const isBig = (bytes.readUInt16LE(node + 4) & F_BIGDATA) !== 0;
    const data = node + NODE_HEADER + bytes.readUInt16LE(node + 6);
    if (data + (isBig ? 24 : dataBytes) > this.#meta.pageBytes) {
      throw new LmdbFileDamage(`a record of page ${page} runs over its page`);
    }
    if (!isBig) return;
    const first = Number(bytes.readBigUInt64LE(data));
    const pages = Number(bytes.readBigUInt64LE(data + 16));
    if (pages * this.#meta.pageBytes < dataBytes + PAGE_HEADER) {
      throw new LmdbFileDamage(`a record of page ${page} is larger than its overflow pages`);
    }
    this.#readPage(first, pages, P_OVERFLOW, this.#overflowHeader);
    this.#counts.overflowPages += pages;
  }

  /** The first page of a run of `pages`, which must lie within the file and know its own number and kind. */
  #readPage(page: number, pages: number, kind: number, into: Buffer): Buffer {
    const { pageBytes, lastPage } = this.#meta;
    if (page < 2 || page + pages - 1 > lastPage) {
      throw new LmdbFileDamage(`it refers to page ${page}, beyond its last page ${lastPage}`);
    }
    const end = (page + pages) * pageBytes;
    if (end > this.#fileBytes) {
      throw new LmdbFileDamage(
        `it is cut short: ${this.#fileBytes} bytes, but page ${page} ends at byte ${end}`,
      );
    }
    const bytes = this.#read(page * pageBytes, into);
    const number = Number(bytes.readBigUInt64LE(0));
    const flags = bytes.readUInt16LE(18) & 0xff;
    if (number !== page || flags !== kind) {
      throw new LmdbFileDamage(`page ${page} is overwritten`);
    }
    return bytes;
  }

  #pageBuffer(level: number): Buffer {
    this.#pageBuffers[level] ??= Buffer.alloc(this.#meta.pageBytes);
    return this.#pageBuffers[level];
  }

  #read(offset: number, into: Buffer): Buffer {
    const read = readSync(this.#file, into, 0, into.length, offset);
    if (read !== into.length) throw new LmdbFileDamage(`it is cut short at byte ${offset + read}`);
    return into;
  }
}

function readTree(name: string, meta: Buffer, offset: number): Tree {
  const root = meta.readBigUInt64LE(offset + 40);
  return {
    name,
    depth: meta.readUInt16LE(offset + 6),
    branchPages: Number(meta.readBigUInt64LE(offset + 8)),
    leafPages: Number(meta.readBigUInt64LE(offset + 16)),
    overflowPages: Number(meta.readBigUInt64LE(offset + 24)),
    entries: Number(meta.readBigUInt64LE(offset + 32)),
    root: root === NO_PAGE ? undefined : Number(root),
  };
}
