import { trustingClis } from '../support/clis.ts';
import { testLesson } from './suite.ts';
import { wayC } from './ways.ts';

for (const cli of await trustingClis()) {
  testLesson(wayC(cli, 'docker'));
  testLesson(wayC(cli, 'signet'));
}
