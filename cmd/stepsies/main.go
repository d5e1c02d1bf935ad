// Command stepsies is the whole of Stepsies in one program: the server, and the
// command line of whoever runs it.
package main

import (
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
