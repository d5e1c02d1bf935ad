package testenv_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stepsies/stepsies/internal/testenv"
)

// The race detector leaves out SQLite. A flag that leaves out more would go unnoticed:
// tests would pass as before.
func TestRacesInOurPackagesAreReported(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "gcc") // the race detector links through it
	out, err := exec.CommandContext(t.Context(), "../../scripts/test", "./internal/testenv/testdata/racy").CombinedOutput()
	if err == nil {
		t.Fatalf("tests with races in them pass:\n%s", out)
	}
	for _, test := range []string{"TestWritesOfTwoGoroutinesRace", "TestWritesAroundAQueryRace"} {
		_, of, ran := strings.Cut(string(out), "--- FAIL: "+test)
		if !ran || !strings.Contains(of, "race detected during execution of test") {
			t.Errorf("%s does not fail by its race:\n%s", test, out)
		}
	}
	if n := strings.Count(string(out), "WARNING: DATA RACE"); n < 2 {
		t.Errorf("%d races are reported, want those of both tests:\n%s", n, out)
	}
}
