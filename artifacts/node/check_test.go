package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
)

// ask sends one query to the server under test and gives its status and body.
func ask(t *testing.T, path string) (int, string) {
	t.Helper()
	server := httptest.NewServer(handler())
	defer server.Close()
	got, err := http.Get(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, string(body)
}

// fetched asks for what the server under test sees of a URL.
func fetched(t *testing.T, target, more string) response {
	t.Helper()
	_, body := ask(t, "/fetch?url="+url.QueryEscape(target)+more)
	var told response
	if err := json.Unmarshal([]byte(body), &told); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return told
}

func TestNameIsThePodsName(t *testing.T) {
	t.Setenv("POD_NAME", "check-abc")
	if _, body := ask(t, "/name"); body != "check-abc" {
		t.Errorf("got %q", body)
	}
}

func TestNameIsTheHostnameWhereNoPodNameIsSet(t *testing.T) {
	t.Setenv("POD_NAME", "")
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if _, body := ask(t, "/name"); body != host {
		t.Errorf("got %q, want %q", body, host)
	}
}

func TestResolveGivesAddresses(t *testing.T) {
	status, body := ask(t, "/resolve?name=127.0.0.1")
	if status != http.StatusOK || strings.TrimSpace(body) != `{"addresses":["127.0.0.1"]}` {
		t.Errorf("got %d %q", status, body)
	}
}

func TestResolveTellsAnErrorInItsAnswer(t *testing.T) {
	status, body := ask(t, "/resolve?name=no..such..name&timeout=2")
	var told resolution
	if err := json.Unmarshal([]byte(body), &told); err != nil || status != http.StatusOK {
		t.Fatalf("%d, %v in %q", status, err, body)
	}
	if told.Error == "" || told.Addresses == nil || len(told.Addresses) != 0 {
		t.Errorf("got %+v", told)
	}
}

func TestFetchGivesStatusAndBody(t *testing.T) {
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, "short")
	}))
	defer peer.Close()
	want := response{Status: http.StatusTeapot, Body: "short", Bytes: 5}
	if told := fetched(t, peer.URL, ""); told != want {
		t.Errorf("got %+v", told)
	}
}

func TestFetchCountsAllOfALargeBodyAndShowsItsStart(t *testing.T) {
	peer := httptest.NewServer(handler())
	defer peer.Close()
	told := fetched(t, peer.URL+"/large?bytes=1048576", "")
	if told.Bytes != 1<<20 || len(told.Body) != maxBody || told.Error != "" {
		t.Errorf("got %d bytes, %d shown, error %q", told.Bytes, len(told.Body), told.Error)
	}
}

func TestFetchTellsThatABodyIsIncomplete(t *testing.T) {
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		fmt.Fprint(w, "half")
	}))
	defer peer.Close()
	if told := fetched(t, peer.URL, ""); told.Error == "" || told.Body != "half" {
		t.Errorf("got %+v", told)
	}
}

func TestFetchGivesUpAtItsDeadline(t *testing.T) {
	asked := make(chan struct{})
	peer := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	defer peer.Close()
	told := fetched(t, peer.URL, "&timeout=0.2")
	<-asked
	if told.Status != 0 || !strings.Contains(told.Error, "deadline exceeded") {
		t.Errorf("got %+v", told)
	}
}

func TestFetchFollowsNoRedirect(t *testing.T) {
	peer := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusFound))
	defer peer.Close()
	if told := fetched(t, peer.URL, ""); told.Status != http.StatusFound {
		t.Errorf("got %+v", told)
	}
}

func TestLargeSendsWhatWasAskedFor(t *testing.T) {
	for _, size := range []int{0, 1, 20000, 1 << 20} {
		if _, body := ask(t, fmt.Sprintf("/large?bytes=%d", size)); len(body) != size {
			t.Errorf("got %d bytes, want %d", len(body), size)
		}
	}
}

func TestWrongQueriesAreRefused(t *testing.T) {
	for _, path := range []string{
		"/resolve",
		"/resolve?name=a&timeout=0",
		"/resolve?name=a&timeout=NaN",
		"/resolve?name=a&timeout=61",
		"/fetch",
		"/fetch?url=file:///etc/passwd",
		"/fetch?url=https://peer",
		"/fetch?url=http://",
		"/fetch?url=http://peer&timeout=soon",
		"/large",
		"/large?bytes=-1",
		"/large?bytes=1048577",
	} {
		if status, body := ask(t, path); status != http.StatusBadRequest {
			t.Errorf("%s: got %d %q", path, status, body)
		}
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	server := httptest.NewServer(handler())
	defer server.Close()
	got, err := http.Post(server.URL+"/name", "text/plain", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("got %d", got.StatusCode)
	}
}

func TestServingEndsWhenTold(t *testing.T) {
	stop := make(chan os.Signal, 1)
	stop <- os.Interrupt
	if err := serve("127.0.0.1:0", stop); err != nil {
		t.Error(err)
	}
}

func TestServingOnATakenPortIsAnError(t *testing.T) {
	taken := httptest.NewServer(handler())
	defer taken.Close()
	if err := serve(strings.TrimPrefix(taken.URL, "http://"), make(chan os.Signal)); err == nil {
		t.Error("no error")
	}
}
