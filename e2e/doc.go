// Package e2e tests the built program from outside: its command line, its answers
// over the network, its files, and what is left of them when it is killed. It
// holds nothing but tests.
//
// The program is built once for all tests, with the race detector where the tests
// are run with it.
package e2e
