import { fieldEnd, revisionOf } from './revision.ts';
import { BASIC_STRUCTURES } from './tables/basic.ts';
import { kindOf } from './tables/ctypes.ts';
import type { FieldRow, StructureRow } from './tables/row.ts';
import { COUNTED_STRING_MAX_BYTES, ISOLATION_NAME_MAX_BYTES } from './text-member.ts';

/*
 * Writes the JavaScript text of a view class from a structure's row: one getter and setter per member with its offset
 * as a literal, so that each compiles to a bare DataView access. Nothing but our own static table gets in here.
 *
 * Names free in the text: `h` (see ViewSupport in view.ts). A nested group (`Header`, `DATA.SET_INFORMATION`) is a
 * class of its own that reaches the bytes through the outermost view, so rebinding touches one object only.
 */

interface Member {
  readonly name: string;
  readonly field: FieldRow | undefined;
  readonly children: Map<string, Member>;
}

/** Members as a tree along the dots of their names. */
export function memberTree(fields: readonly FieldRow[]): Map<string, Member> {
  const root = new Map<string, Member>();
  for (const field of fields) {
    const path = field.name.split('.');
    let level = root;
    path.forEach((name, depth) => {
      const last = depth === path.length - 1;
      let member = level.get(name);
      if (member === undefined) {
        member = { name, field: last ? field : undefined, children: new Map() };
        level.set(name, member);
      }
      level = member.children;
    });
  }
  return root;
}

/** The class body's pieces that one member needs. */
interface Code {
  readonly classes: string[];
  readonly construct: string[];
  readonly accessors: string[];
}

/** Source text of the view class of `row`; evaluates to the class. */
export function viewSource(name: string, row: StructureRow): string {
  const code: Code = { classes: [], construct: [], accessors: [] };
  const context: Context = { name, row, owner: 'this' };
  emitMembers(context, memberTree(row.fields), code, name);
  const minimum = row.revisionSizes[0] ?? row.size;
  return `'use strict';
${code.classes.join('\n')}
return class ${name} {
  constructor(bytes, offset, length) {
    this.bytes = h.noBytes;
    this.offset = 0;
    this.length = 0;
    this.buffer = h.noBytes.buffer;
    this.data = h.noData;
    this.base = 0;
    ${code.construct.join('\n    ')}
    this.rebind(bytes, offset, length);
  }
  rebind(bytes, offset = 0, length = bytes.length - offset) {
    if (offset >>> 0 !== offset || !(length >= ${minimum}) || offset + length > bytes.length) {
      throw h.tooShort('${name}', ${minimum}, bytes, offset, length);
    }
    if (bytes !== this.bytes) {
      const buffer = bytes.buffer;
      if (buffer !== this.buffer) {
        this.buffer = buffer;
        this.data = new DataView(buffer);
      }
      this.bytes = bytes;
    }
    this.base = bytes.byteOffset + offset;
    this.offset = offset;
    this.length = length;
    return this;
  }
  holds(revision, end) {
    return this.length >= end && this.data.getUint8(this.base + 1) >= revision && this.data.getUint16(this.base + 2, true) >= end;
  }
${code.accessors.join('\n')}
};`;
}

interface Context {
  readonly name: string;
  readonly row: StructureRow;
  /** Expression of the outermost view inside an accessor. */
  readonly owner: string;
}

function emitMembers(
  context: Context,
  members: Map<string, Member>,
  code: Code,
  className: string,
): void {
  for (const member of members.values()) {
    const { field } = member;
    if (field === undefined) {
      emitGroup(context, member.name, member.children, code, `${className}_${member.name}`);
    } else if (kindOf(field.ctype) === 'header') {
      const header = BASIC_STRUCTURES.NDIS_OBJECT_HEADER.fields.map((part) => ({
        ...part,
        offset: part.offset + field.offset,
      }));
      const tree = memberTree(header);
      emitGroup(context, member.name, tree, code, `${className}_${member.name}`);
    } else if (field.count !== undefined && kindOf(field.ctype) !== 'u8') {
      emitArray(context, member.name, field, code);
    } else {
      code.accessors.push(accessor(context, member.name, field));
    }
  }
}

function emitGroup(
  context: Context,
  member: string,
  members: Map<string, Member>,
  code: Code,
  className: string,
): void {
  const inner: Code = { classes: code.classes, construct: [], accessors: [] };
  emitMembers({ ...context, owner: 'this.owner' }, members, inner, className);
  code.classes.push(`class ${className} {
  constructor(owner) {
    this.owner = owner;
    ${inner.construct.join('\n    ')}
  }
${inner.accessors.join('\n')}
}`);
  code.construct.push(
    `this.${member} = new ${className}(${context.owner === 'this' ? 'this' : 'owner'});`,
  );
}

function emitArray(context: Context, member: string, field: FieldRow, code: Code): void {
  const type = kindOf(field.ctype) === 'wchar' ? 'U16Member' : 'U64Member';
  const place = {
    structure: context.name,
    member: field.name,
    offset: field.offset,
    count: field.count,
    revision: revisionOf(context.row, field),
  };
  const owner = context.owner === 'this' ? 'this' : 'owner';
  code.construct.push(`this.${member} = new h.${type}(${owner}, ${JSON.stringify(place)});`);
}

function accessor(context: Context, member: string, field: FieldRow): string {
  const { get, set } = expressions(context, field);
  const revision = revisionOf(context.row, field);
  if (revision === 1) return `  get ${member}() { return ${get}; }\n  set ${member}(v) { ${set} }`;
  // Members a sender's older revision does not have: zero to a reader, an error to a writer.
  const present = `${context.owner}.holds(${revision}, ${fieldEnd(field)})`;
  const zero = ['u64', 'pointer'].includes(kindOf(field.ctype)) ? '0n' : '0';
  return `  get ${member}() { return ${present} ? ${get} : ${zero}; }
  set ${member}(v) {
    if (!${present}) throw h.absent('${context.name}', '${field.name}', ${context.owner}.offset + ${field.offset}, ${revision});
    ${set}
  }`;
}

/** The expressions that read a member and the statement that writes `v` into it. */
function expressions(context: Context, field: FieldRow): { get: string; set: string } {
  const view = context.owner;
  const data = `${view}.data`;
  const at = `${view}.base + ${field.offset}`;
  const own = `${view}.offset + ${field.offset}`;
  const text = (maxBytes: number) => {
    const place = { structure: context.name, member: field.name, size: field.size, maxBytes };
    return {
      get: `h.readText(${data}, ${at}, ${maxBytes})`,
      set: `h.writeText(${data}, ${at}, ${view}.bytes, ${own}, v, ${JSON.stringify(place)});`,
    };
  };
  switch (kindOf(field.ctype)) {
    case 'u8':
      if (field.count !== undefined) {
        return {
          get: `${view}.bytes.subarray(${own}, ${own} + ${field.size})`,
          set: `h.writeBytes(${view}.bytes, ${own}, v, ${field.size}, '${context.name}', '${field.name}');`,
        };
      }
      return { get: `${data}.getUint8(${at})`, set: `${data}.setUint8(${at}, v);` };
    case 'bool':
      return { get: `${data}.getUint8(${at}) !== 0`, set: `${data}.setUint8(${at}, v ? 1 : 0);` };
    case 'u16':
    case 'wchar':
      return bits(field, data, at, 16);
    case 'u64':
    case 'pointer':
      return {
        get: `${data}.getBigUint64(${at}, true)`,
        set: `${data}.setBigUint64(${at}, v, true);`,
      };
    case 'guid':
      return {
        get: `h.readGuid(${data}, ${at}, ${view}.bytes, ${own})`,
        set: `h.writeGuid(${data}, ${at}, v, '${context.name}.${field.name}');`,
      };
    case 'countedString':
      return text(COUNTED_STRING_MAX_BYTES);
    case 'isolationName':
      return text(ISOLATION_NAME_MAX_BYTES);
    default:
      return bits(field, data, at, 32);
  }
}

/** A whole 16- or 32-bit unit, or a bit-field in one. */
function bits(
  field: FieldRow,
  data: string,
  at: string,
  unitBits: 16 | 32,
): { get: string; set: string } {
  const read = `${data}.getUint${unitBits}(${at}, true)`;
  const write = (value: string) => `${data}.setUint${unitBits}(${at}, ${value}, true);`;
  if (field.bitWidth === undefined) return { get: read, set: write('v') };
  const shift = field.bitOffset ?? 0;
  const mask = 2 ** field.bitWidth - 1;
  const keep = ~(mask << shift);
  return {
    get: `(${read} >>> ${shift}) & ${mask}`,
    set: write(`(${read} & ${keep}) | ((v & ${mask}) << ${shift})`),
  };
}
