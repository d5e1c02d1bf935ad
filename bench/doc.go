// Package bench measures Stepsies as a whole: what admission costs a request, and
// what the built program needs to start and to stand by. The benchmarks of single
// rooms are beside their code; README.md holds the figures of all of them. It
// holds nothing but tests.
package bench
