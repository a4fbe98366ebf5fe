/* What bench/mof-baselines.ts uses of two libraries that ship no types for Node's module resolution. */
declare module 'restructure' {
  type Length = Type | string | ((context: never) => number);
  export interface Type {
    readonly size: (value?: unknown) => number;
  }
  export const uint8: Type;
  export const uint16le: Type;
  export const uint32le: Type;
  export class Reserved implements Type {
    constructor(type: Type, count: Length | number);
    size(): number;
  }
  class TextType implements Type {
    constructor(length: Length, encoding: string);
    size(): number;
  }
  class ListType implements Type {
    constructor(type: Type, length: Length);
    size(): number;
  }
  export class Pointer implements Type {
    constructor(offsetType: Type, type: Type);
    size(): number;
  }
  export class Struct<T> implements Type {
    constructor(fields: Readonly<Record<string, Type>>);
    size(): number;
    toBuffer(value: T): Uint8Array;
    fromBuffer(bytes: Uint8Array): T;
  }
  export { ListType as Array, TextType as String };
}

declare module 'binary-parser' {
  export class Parser {
    endianness(order: 'little' | 'big'): this;
    uint8(name: string): this;
    uint16(name: string): this;
    uint32(name: string): this;
    uint64(name: string): this;
    seek(length: number | ((this: never) => number)): this;
    buffer(name: string, options: object): this;
    array(name: string, options: object): this;
    pointer(name: string, options: object): this;
    useContextVars(): this;
    parse(bytes: Uint8Array): Readonly<Record<string, unknown>>;
  }
}
