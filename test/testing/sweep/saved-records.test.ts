import t from 'tap';
import { Course } from '../../../src/testing/sweep/course.ts';
import { hasSavedSince, withAllowedRecords } from '../../../src/testing/sweep/saved-records.ts';

/* What an extension that went and came leaves of saved records (docs/reference/sweep.md). */

const vm = (savedRecords: number, host = 'source', state = 'running') =>
  new Map([['vm/VM1', JSON.stringify({ host, id: '#', state, savedRecords, adapters: [] })]]);

t.test('a record that nobody claimed stays with the VM: one more is no other end (G26)', (t) => {
  t.same(withAllowedRecords(vm(0), vm(1), false), vm(0));
  t.end();
});

t.test('a record is gone though nobody was asked to save since: that is another end', (t) => {
  t.same(withAllowedRecords(vm(2), vm(1), false), vm(1));
  t.same(withAllowedRecords(vm(2), vm(1), true), vm(2), 'who came anew has nothing to save (G18)');
  t.end();
});

t.test('what else the line of the VM says is compared as ever', (t) => {
  const found = withAllowedRecords(vm(0), vm(1, 'source', 'paused'), true);
  t.same(found, vm(0, 'source', 'paused'));
  t.same(withAllowedRecords(new Map(), vm(1), true), vm(1), 'a VM that should not be there');
  t.end();
});

t.test('records are asked for by a save and a migration, from the fault on', (t) => {
  const course = new Course();
  const change = (number: number, before: Map<string, string>, after: Map<string, string>) => {
    course.begins(number, before);
    course.ends(number, after);
  };
  change(3, vm(0), vm(2, 'source', 'saved'));
  change(4, vm(2, 'source', 'saved'), vm(0));
  change(5, vm(0), vm(0, 'source', 'paused'));
  t.equal(hasSavedSince(course, 3), true);
  t.equal(hasSavedSince(course, 4), false, 'a restore and a pause are no save');
  change(6, vm(0), vm(0, 'target'));
  t.equal(hasSavedSince(course, 4), true);
  t.equal(hasSavedSince(course, 7), false);
  t.end();
});
