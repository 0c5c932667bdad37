package testkit

import (
	"slices"
	"testing"
)

// A Comparison collects rounds. The zero value is ready to use.
type Comparison struct {
	ours, theirs, ratio []float64
}

// Round measures both once, in an order that alternates. Each function returns
// its cost per operation, in nanoseconds.
func (c *Comparison) Round(ours, theirs func() float64) {
	var a, b float64
	if len(c.ratio)%2 == 0 {
		a, b = ours(), theirs()
	} else {
		b, a = theirs(), ours()
	}
	c.ours = append(c.ours, a)
	c.theirs = append(c.theirs, b)
	c.ratio = append(c.ratio, a/b)
}

// Report adds the medians and the quartiles of the paired ratios to the
// benchmark's line. They replace ns/op, which would be the time of both.
func (c *Comparison) Report(b *testing.B) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(quantile(c.ours, 0.5), "ours-ns")
	b.ReportMetric(quantile(c.theirs, 0.5), "theirs-ns")
	b.ReportMetric(quantile(c.ratio, 0.5), "ratio")
	b.ReportMetric(quantile(c.ratio, 0.25), "ratio-q1")
	b.ReportMetric(quantile(c.ratio, 0.75), "ratio-q3")
}

func quantile(values []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return s[int(q*float64(len(s)-1)+0.5)]
}
