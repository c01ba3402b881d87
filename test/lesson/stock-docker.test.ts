import { trustingClis } from '../support/clis.ts';
import { testLesson } from './suite.ts';
import { wayB } from './ways.ts';

for (const cli of await trustingClis()) testLesson(wayB(cli));
