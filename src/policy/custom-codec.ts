import type { PropertyCodec } from '../../switch/environment.ts';
import { type Guid, guidWords, NULL_GUID } from '../core/guid.ts';
import type { FeatureClass } from '../mof/feature-class.ts';
import type { FeatureCodec } from '../mof/feature-codec.ts';
import type { Settings } from '../sdk/extension.ts';

/** Property type of a class: Custom 1; 0 for built-in policies, which no OID carries (rule E3). */
export type CodecType = 0 | 1;

/** A MOF class as a {@link PropertyCodec}: values ↔ the serialized class. */
export class CustomCodec implements PropertyCodec {
  readonly name: string;
  readonly propertyType: CodecType;
  readonly id: Guid;
  readonly idWords: Uint32Array;
  readonly extensionId: Guid;
  readonly version: number;
  readonly fixedSize: number;
  readonly feature: FeatureClass;
  readonly codec: FeatureCodec;

  constructor(feature: FeatureClass, codec: FeatureCodec, propertyType: CodecType) {
    this.feature = feature;
    this.codec = codec;
    // As a property key the name is one string in memory: extensions compare it by reference, not by its characters.
    this.name = Object.keys({ [feature.name]: 0 })[0] ?? feature.name;
    this.id = feature.id;
    this.idWords = guidWords(propertyType === 1 ? feature.id : NULL_GUID);
    this.extensionId = feature.extensionId;
    this.version = feature.version;
    this.fixedSize = codec.layout.size;
    this.propertyType = propertyType;
  }

  normalize(values: Readonly<Record<string, unknown>>): Settings {
    return this.codec.normalize(values);
  }
  size(settings: Settings): number {
    return this.codec.size(settings);
  }
  write(settings: Settings, bytes: Uint8Array, offset: number): number {
    return this.codec.write(settings, bytes, offset);
  }
  decode(bytes: Uint8Array, offset: number, lengthBytes: number): Settings {
    return this.codec.decode(bytes, offset, lengthBytes);
  }
}
