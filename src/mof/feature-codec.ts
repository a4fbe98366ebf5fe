import type { FeatureClass, FeatureLayout, SerializationProfile } from './feature-class.ts';
import { type AnnotatedField, annotate } from './feature-dump.ts';
import { type FeaturePlan, planFeature } from './feature-plan.ts';
import { FeatureReader } from './feature-reader.ts';
import { FeatureWriter } from './feature-writer.ts';
import { fullProfile } from './layout.ts';
import { defaultSettings, normalizeSettings, type Settings } from './settings.ts';
import { type OverlapListener, overlapFinder } from './tail-overlap.ts';

/**
 * Settings of one feature class ↔ the bytes an extension sees (management.md chapter 2, rules R1-R18, E58-E60). Make one
 * per class and profile and keep it: the layout is computed here once.
 */
export class FeatureCodec {
  readonly feature: FeatureClass;
  readonly profile: SerializationProfile;
  readonly layout: FeatureLayout;
  private readonly plan: FeaturePlan;
  private readonly writer: FeatureWriter;
  private readonly reader: FeatureReader;

  constructor(feature: FeatureClass, profile?: Partial<SerializationProfile>) {
    this.feature = feature;
    this.profile = fullProfile(profile);
    this.plan = planFeature(feature, this.profile);
    this.layout = {
      size: this.plan.size,
      alignment: this.plan.alignment,
      members: this.plan.fields,
    };
    this.writer = new FeatureWriter(feature.name, this.plan, this.profile);
    this.reader = new FeatureReader(
      feature.name,
      this.plan,
      this.profile,
      defaultSettings(feature),
    );
  }

  /** {@link normalizeSettings} for this class. */
  normalize(input: Readonly<Record<string, unknown>>): Settings {
    return normalizeSettings(this.feature, input);
  }

  /** Total bytes {@link write} will need for normalized settings (R18). */
  size(settings: Settings): number {
    return this.writer.size(settings);
  }

  /**
   * Writes normalized settings at `offset` and gives the length in bytes. All of it is written, pads and unused room as
   * zeroes; nothing is written beyond. The offset should be a multiple of 8 (R1). Throws `INVALID_ARGUMENT` when there
   * is no room and `SETTINGS_INVALID` for a value of the wrong type or too long; what was written up to then remains.
   */
  write(settings: Settings, bytes: Uint8Array, offset: number): number {
    return this.writer.write(settings, bytes, offset);
  }

  /** The serialized class in an array of its own. */
  encode(settings: Settings): Uint8Array {
    const bytes = new Uint8Array(this.writer.size(settings));
    this.writer.write(settings, bytes, 0);
    return bytes;
  }

  /**
   * Reads `lengthBytes` at `offset`. Bytes of any origin are safe: what does not fit throws `ABI_INVALID`. More bytes than the
   * class has are accepted (rule E51). Tails may be anywhere behind the fixed part and may overlap (R12);
   * `onOverlap` is then told.
   */
  decode(
    bytes: Uint8Array,
    offset = 0,
    lengthBytes = bytes.length - offset,
    onOverlap?: OverlapListener,
  ): Settings {
    if (onOverlap === undefined) return this.reader.read(bytes, offset, lengthBytes);
    const finder = overlapFinder();
    const settings = this.reader.read(bytes, offset, lengthBytes, finder.add);
    finder.report(onOverlap);
    return settings;
  }

  /**
   * The fields of a serialized class for a dump: one per C struct member, tails as children of their offset field.
   * `baseOffset` is added to every offset shown. Throws as {@link decode}.
   */
  decodeAnnotated(bytes: Uint8Array, baseOffset = 0): AnnotatedField[] {
    return annotate(this.plan, this.reader, bytes, baseOffset);
  }
}
