package running

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSolarisIsBefore114(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		rule, release, version string
		want                   bool
	}{
		{"the first release with TCP_KEEPIDLE", "5.11", "11.4.0.15.0", false},
		{"an update of it", "5.11", "11.4.81.193.1", false},
		{"without more digits", "5.11", "11.4", false},
		{"two digits after the dot are a number", "5.11", "11.10", false},
		{"the release before", "5.11", "11.3", true},
		{"the first of 11", "5.11", "11.0", true},
		{"Solaris 10 has a kernel patch for its version", "5.10", "Generic_150400-65", true},
		{"a later major release", "5.12", "12.0", false},
		{"an unreadable version counts as recent", "5.11", "Generic_150400-65", false},
		{"a bare number is unreadable", "5.11", "11", false},
		{"nothing", "", "", false},
	} {
		t.Run(row.rule, func(t *testing.T) {
			assert.Equal(t, row.want, solarisIsBefore114(row.release, row.version))
		})
	}
}

// kern.osreldate of the release whose options count seconds, golang/go#65809.
func TestDragonflySecondsSince(t *testing.T) { assert.EqualValues(t, 500702, dragonflySecondsSince) }
