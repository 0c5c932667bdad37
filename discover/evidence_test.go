package discover

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestWeigh: what all tests together say.
func TestWeigh(t *testing.T) {
	t.Parallel()
	// some returns so many tests that ended in one way, each a little longer.
	some := func(n int, end string, idle float64) (tests []Test) {
		for i := range n {
			tests = append(tests, Test{Idle: time.Duration((idle + float64(i)/1000) * float64(time.Second)), End: end})
		}
		return tests
	}
	all := func(parts ...[]Test) (tests []Test) {
		for _, p := range parts {
			tests = append(tests, p...)
		}
		return tests
	}
	const s = time.Second
	for rule, tt := range map[string]struct {
		tests []Test
		want  bounds
	}{
		"nothing":                       {nil, bounds{}},
		"all live":                      {some(1, endSurvived, 9), bounds{alive: 9 * s, longest: 9 * s}},
		"all die":                       {some(3, endReset, 5), bounds{dead: 5 * s, end: endReset}},
		"failed and masked say nothing": {all(some(1, endFailed, 9), some(1, endMasked, 8)), bounds{}},
		"some live, longer ones die":    {all(some(1, endSurvived, 4), some(9, endNoAnswer, 5)), bounds{alive: 4 * s, dead: 5 * s, end: endNoAnswer, longest: 4 * s}},
		"one that died sooner is no timeout": {all(some(1, endNoAnswer, 2), some(1, endSurvived, 4), some(9, endNoAnswer, 5)),
			bounds{alive: 4 * s, dead: 5 * s, end: endNoAnswer, longest: 4 * s}},
		"a timeout that timers vary": {all(some(1, endResetOnUse, 5), some(1, endSurvived, 5.05), some(2, endResetOnUse, 5.1)),
			bounds{alive: 5050 * time.Millisecond, dead: 5100 * time.Millisecond, end: endResetOnUse, longest: 5050 * time.Millisecond, near: 5 * s}},
		"two that timers vary": {all(some(1, endSurvived, 4.9), some(2, endResetOnUse, 5), some(1, endSurvived, 5.05), some(2, endResetOnUse, 5.1)),
			bounds{alive: 4900 * time.Millisecond, dead: 5 * s, end: endResetOnUse, longest: 5050 * time.Millisecond, near: 5 * s}},
		"one lived for clearly longer": {all(some(1, endSurvived, 1), some(9, endClosed, 2), some(1, endSurvived, 4)),
			bounds{alive: s, dead: 2 * s, end: endClosed, longest: 4 * s}},
		"two lived for clearly longer": {all(some(1, endSurvived, 1), some(9, endClosed, 2), some(2, endSurvived, 4)),
			bounds{alive: s, dead: 2 * s, end: endClosed, disagreed: true, longest: 4001 * time.Millisecond}},
		"one in ten, by a tenth": {all(some(2, endSurvived, 59), some(2, endNoAnswer, 60), some(17, endSurvived, 64), some(1, endSurvived, 66), some(20, endNoAnswer, 67)),
			bounds{alive: 59001 * time.Millisecond, dead: 60 * s, end: endNoAnswer, disagreed: true, longest: 66 * s}},
		"an accident, and a timeout that timers vary": {all(some(1, endNoAnswer, 1), some(20, endSurvived, 4.9), some(2, endClosed, 5), some(1, endSurvived, 5.05)),
			bounds{alive: 4919 * time.Millisecond, dead: 5 * s, end: endClosed, longest: 5050 * time.Millisecond, near: 5 * s}},
		"asked just when it is closed": {all(some(1, endSurvived, 4), some(1, endResetOnUse, 5), some(2, endClosed, 5.01)),
			bounds{alive: 4 * s, dead: 5010 * time.Millisecond, end: endClosed, late: 10 * time.Millisecond, longest: 4 * s}},
		"two died, two lived for longer": {all(some(1, endSurvived, 1), some(2, endClosed, 2), some(2, endSurvived, 4)),
			bounds{alive: s, dead: 2 * s, end: endClosed, disagreed: true, longest: 4001 * time.Millisecond}},
		"two of a hundred are accidents": {all(some(2, endNoAnswer, 2), some(98, endSurvived, 4), some(2, endClosed, 5)),
			bounds{alive: 4097 * time.Millisecond, dead: 5 * s, end: endClosed, longest: 4097 * time.Millisecond}},
	} {
		assert.Equal(t, tt.want, weigh(tt.tests), rule)
	}
}

// TestApart: two timeouts in one round, which differ too little to contradict each other.
func TestApart(t *testing.T) {
	t.Parallel()
	round := func(end string, late time.Duration, idle ...float64) (tests []Test) {
		for _, i := range idle {
			tests = append(tests, Test{Idle: time.Duration(i * float64(time.Second)), Late: late, End: end})
		}
		return tests
	}
	for rule, tt := range map[string]struct {
		tests []Test
		want  float64
	}{
		"nothing":                         {nil, 0},
		"one timeout":                     {round(endClosed, 0, 4, 4.01, 4.02, 4.03), 0},
		"0.21 s apart, which is 5.2 %":    {round(endClosed, 0, 4, 4, 4.21, 4.21), 4.21},
		"0.19 s apart":                    {round(endClosed, 0, 2, 2, 2.19, 2.19), 0},
		"4 % apart":                       {round(endClosed, 0, 10, 10, 10.4, 10.4), 0},
		"one alone ended sooner":          {round(endClosed, 0, 4, 4.3, 4.3, 4.3), 0},
		"one alone ended later":           {round(endClosed, 0, 4, 4, 4, 4.3), 0},
		"seen late, so perhaps not later": {round(endClosed, 150*time.Millisecond, 4, 4, 4.3, 4.3), 0},
		"asked, which says nothing of it": {round(endClosedOnUse, 0, 4, 4, 4.3, 4.3), 0},
	} {
		assert.Equal(t, time.Duration(tt.want*float64(time.Second)), apart(tt.tests), rule)
	}
}

// TestHTTPAnswers: which answers are complete, and which are not answers of HTTP.
func TestHTTPAnswers(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]struct {
		whole bool
		err   string
	}{
		"":                                 {false, ""},
		"HT":                               {false, ""},
		"HTTP/1.1 200 OK\r\nX: y\r\n":      {false, ""},
		"HTTP/1.0 404 Not Found\r\n\r\n":   {true, "the server closes after each response"},
		"HTTP/1.1 103 Early Hints\r\n\r\n": {false, ""},
		"HTTP/1.1 100 x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n": {true, ""},
		"HTTP/1.1 408 Request Timeout\r\n\r\n":                  {false, "408"},
		"SSH-2.0-OpenSSH\r\n":                                   {false, `"SSH-2.0-OpenSSH\r\n" is not that of an HTTP/1.1 server`},
	} {
		whole, err := httpAnswered([]byte(got))
		assert.Equal(t, want.whole, whole, "%q", got)
		if want.err == "" {
			assert.NoError(t, err, "%q", got)
		} else {
			assert.ErrorContains(t, err, want.err)
		}
	}
}
