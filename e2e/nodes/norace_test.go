//go:build !race

package nodes

// withRace says whether the tests, and so the program, are built with the race
// detector, which costs time and memory.
const withRace = false
