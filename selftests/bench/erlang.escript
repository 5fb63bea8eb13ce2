#!/usr/bin/env escript
%% SPDX-License-Identifier: GPL-2.0
%%
%% Tables of Erlang (ETS), a call of a gen_server, and a registry of processes as
%% one writes it there: a server that monitors and a table that all read. Prints
%% what bench.h describes, without the cost of a null system call.
-mode(compile).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

main(_) ->
    code:ensure_loaded(?MODULE),
    lists:foreach(fun ets_ops/1, [1000, 100000, 1000000]),
    calls(),
    registry().

%% Rounds of Count operations, after one that does not count.
bench(System, Op, Objects, Count, Run) ->
    bench(System, Op, Objects, Count, fun() -> ok end, Run).

bench(System, Op, Objects, Count, Prepare, Run) ->
    lists:foreach(fun(Round) ->
                      Prepare(),
                      erlang:garbage_collect(),
                      Start = os:perf_counter(nanosecond),
                      Run(Count),
                      Time = os:perf_counter(nanosecond) - Start,
                      Round =:= 0 orelse result(System, Op, Objects, unit(), Time / Count)
                  end, lists:seq(0, rounds())).

result(System, Op, Objects, Unit, Value) ->
    io:format("result ~s ~s ~b ~s ~.2f 0~n", [System, Op, Objects, Unit, Value * 1.0]).

counted() -> os:getenv("BENCH_CLOCK") =:= "counted".
unit() -> case counted() of true -> "instructions"; false -> "ns" end.
rounds() -> case counted() of true -> 3; false -> 7 end.

key(N) ->
    <<_, Digits/binary>> = integer_to_binary(N + 100000000),
    <<"session:", Digits/binary>>.

%% Where no collection of garbage looks at them, in an order that is always the same.
shuffled(First, Count) ->
    State = rand:seed_s(exsss, First),
    {Marked, _} = lists:mapfoldl(fun(N, S) ->
                                     {Mark, Next} = rand:uniform_s(S),
                                     {{Mark, N}, Next}
                                 end, State, lists:seq(First, First + Count - 1)),
    list_to_tuple([key(N) || {_, N} <- lists:sort(Marked)]).

each(_, _, 0) -> ok;
each(Do, Keys, N) ->
    Do(element(N rem tuple_size(Keys) + 1, Keys)),
    each(Do, Keys, N - 1).

ets_ops(Objects) ->
    Value = binary:copy(<<"v">>, 64),
    Before = ets:new(empty, [set]),
    Table = ets:new(table, [set, public, {read_concurrency, true}]),
    persistent_term:put(there, shuffled(0, Objects)),
    persistent_term:put(fresh, shuffled(Objects, 4096)),
    Over = fun(Keys, Do) -> fun(N) -> each(Do, persistent_term:get(Keys), N) end end,
    Put = fun(Key) -> ets:insert(Table, {Key, Value}) end,
    Delete = fun(Key) -> ets:delete(Table, Key) end,
    (Over(there, Put))(Objects),
    Words = ets:info(Table, memory) - ets:info(Before, memory),
    Objects < 1000000 orelse
        result("ets", "memory", Objects, "bytes",
               Words * erlang:system_info(wordsize) / Objects),
    bench("ets", "get", Objects, 20000,
          Over(there, fun(Key) -> [_] = ets:lookup(Table, Key) end)),
    bench("ets", "get-miss", Objects, 4096,
          Over(fresh, fun(Key) -> [] = ets:lookup(Table, Key) end)),
    bench("ets", "member", Objects, 20000,
          Over(there, fun(Key) -> true = ets:member(Table, Key) end)),
    bench("ets", "put", Objects, 20000, Over(there, Put)),
    bench("ets", "put-new", Objects, 4096,
          fun() -> (Over(fresh, Delete))(4096) end, Over(fresh, Put)),
    bench("ets", "delete", Objects, 4096,
          fun() -> (Over(fresh, Put))(4096) end, Over(fresh, Delete)),
    bench("ets", "scan", Objects, Objects div 10,
          fun(N) -> some(ets:match_object(Table, '_', 100), N) end),
    ets:delete(Table),
    ets:delete(Before).

some(_, N) when N =< 0 -> ok;
some({Found, More}, N) -> some(ets:match_object(More), N - length(Found)).

calls() ->
    {ok, Server} = gen_server:start_link(?MODULE, [], []),
    bench("gen_server", "call", 0, 5000, fun(N) -> call(Server, N) end),
    ok = gen_server:stop(Server).

call(_, 0) -> ok;
call(Server, N) ->
    ok = gen_server:call(Server, ping),
    call(Server, N - 1).

registry() ->
    {ok, Server} = gen_server:start_link(?MODULE, [], []),
    Names = list_to_tuple([key(N) || N <- lists:seq(1, 1000)]),
    bench("gen_server", "create", 0, 1000,
          fun() -> ok = gen_server:call(Server, empty) end,
          fun(N) -> each(fun(Name) -> gen_server:call(Server, {create, Name}) end, Names, N) end),
    bench("gen_server", "find", 1000, 20000,
          fun(N) -> each(fun(Name) -> [_] = ets:lookup(registry, Name) end, Names, N) end),
    bench("gen_server", "death-seen", 0, 200,
          fun(N) -> each(fun(Name) -> death(Server, Name) end, Names, N) end).

%% A process is made, killed, and its row is gone.
death(Server, Name) ->
    Pid = gen_server:call(Server, {tell, self(), Name}),
    exit(Pid, kill),
    receive {gone, Name} -> ok end,
    gen_server:call(Server, {create, Name}).

init(_) ->
    {ok, {ets:new(registry, [named_table, protected, {read_concurrency, true}]), #{}, none}}.

handle_call(ping, _, State) ->
    {reply, ok, State};
handle_call(empty, _, {Table, Names, Tell}) ->
    [begin erlang:demonitor(Ref, [flush]), exit(ets:lookup_element(Table, Name, 2), kill) end
     || {Ref, Name} <- maps:to_list(Names)],
    ets:delete_all_objects(Table),
    {reply, ok, {Table, #{}, Tell}};
handle_call({tell, Who, Name}, _, {Table, Names, _}) ->
    {reply, ets:lookup_element(Table, Name, 2), {Table, Names, {Who, Name}}};
handle_call({create, Name}, _, {Table, Names, Tell}) ->
    {Pid, Ref} = spawn_monitor(fun() -> receive stop -> ok end end),
    ets:insert(Table, {Name, Pid}),
    {reply, Pid, {Table, Names#{Ref => Name}, Tell}}.

handle_cast(_, State) ->
    {noreply, State}.

handle_info({'DOWN', Ref, process, _, _}, {Table, Names, Tell}) ->
    {Name, Left} = maps:take(Ref, Names),
    ets:delete(Table, Name),
    case Tell of
        {Who, Name} -> Who ! {gone, Name};
        _ -> ok
    end,
    {noreply, {Table, Left, Tell}}.
