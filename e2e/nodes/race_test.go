//go:build race

package nodes

const withRace = true
