#!/usr/bin/env escript
%% SPDX-License-Identifier: GPL-2.0
%%
%% ets.escript - play sequences of operations (see README.md) on ETS.
%%
%%   ets.escript FILE...     the results of FILE, a line for each, go to FILE.ets
%%
%% What kreg means to do otherwise in a way that would leave other objects or other owners behind
%% is done here as kreg does it: each such place says which row of compare.py that is.
-mode(compile).
-define(MIN, -16#8000000000000000).
-define(MAX, 16#7fffffffffffffff).

main(Files) -> lists:foreach(fun play/1, Files).

play(File) ->
    {ok, Text} = file:read_file(File),
    Lines = [binary:split(Line, <<" ">>, [global, trim_all])
             || Line <- binary:split(Text, <<"\n">>, [global, trim_all])],
    ets:new(world, [named_table, public]),
    Actors = maps:from_list([{Name, start(Name, 1)} || Name <- [<<"p0">>, <<"p1">>, <<"p2">>, <<"p3">>]]),
    {Results, Left} = lists:mapfoldl(fun step/2, Actors, Lines),
    ok = file:write_file([File, ".ets"], [[Result, "\n"] || Result <- Results]),
    maps:foreach(fun(_, {Pid, _}) -> stop(Pid, kill) end, Left),
    ets:delete(world).

%% A line by the process that it names, or about one.
step([<<"-">>, How, Name], Actors) ->
    {Pid, Life} = maps:get(Name, Actors),
    stop(Pid, How),
    {[How, "ed"], Actors#{Name => start(Name, Life + 1)}};
step([Name | Line], Actors) ->
    {Pid, _} = maps:get(Name, Actors),
    Pid ! {run, self(), Line},
    receive {Pid, Result} -> {Result, Actors} end.

start(Name, Life) ->
    Pid = spawn(fun actor/0),
    ets:insert(world, [{Name, Pid}, {Pid, [Name, ".", integer_to_list(Life)]}]),
    {Pid, Life}.

stop(Pid, How) ->
    Ref = monitor(process, Pid),
    case How of
        <<"exit">> -> Pid ! exit;
        _ -> exit(Pid, kill)
    end,
    receive {'DOWN', Ref, _, _, _} -> ok end.

actor() ->
    receive
        {run, From, [Op | Args]} ->
            From ! {self(), iolist_to_binary(result(Op, Args))},
            actor();
        exit ->
            ok
    end.

result(Op, Args) ->
    try run(Op, Args) of
        true -> "true";
        false -> "false";
        Number when is_integer(Number) -> integer_to_list(Number);
        Said -> Said
    catch
        throw:Why -> ["error ", atom_to_list(Why)];
        error:_:Stack -> ["error ", atom_to_list(cause(Stack))]
    end.

cause([{ets, _, _, Info} | _]) ->
    maps:get(cause, proplists:get_value(error_info, Info, #{}), badarg);
cause(_) -> line.

%% What lines are made of.

table(<<"n", _/binary>> = Name) -> binary_to_atom(Name);
table(Slot) ->
    case ets:lookup(world, Slot) of
        [{_, Table}] -> Table;
        [] -> throw(unset)
    end.

%% Whatever it is called later.
tid(T) ->
    case table(T) of
        Name when is_atom(Name) ->
            Tid = ets:whereis(Name),
            Tid =/= undefined orelse throw(id),
            Tid;
        Tid -> Tid
    end.

process(Name) -> ets:lookup_element(world, Name, 2).

bytes(<<"x", Hex/binary>>) -> binary:decode_hex(Hex);
bytes(<<"z", Count/binary>>) -> binary:copy(<<"z">>, binary_to_integer(Count)).

%% Row "key": its length.
key(Text) ->
    case bytes(Text) of
        <<>> -> throw(empty_key);
        Key when byte_size(Key) > 1024 -> throw(long_key);
        Key -> Key
    end.

%% Row "value": its length. A counter is a number here, and 8 bytes there.
value(<<"i", Number/binary>>) -> binary_to_integer(Number);
value(Text) ->
    case bytes(Text) of
        Value when byte_size(Value) > 1048576 -> throw(long_value);
        Value -> Value
    end.

objects([Key, Value | More]) -> [{key(Key), value(Value)} | objects(More)];
objects([]) -> [].

show(Number) when is_integer(Number) -> show(<<Number:64/little-signed>>);
show(Bytes) when byte_size(Bytes) > 64 -> ["z", integer_to_list(byte_size(Bytes))];
show(Bytes) -> ["x", string:lowercase(binary:encode_hex(Bytes))].

%% In [] if the order counts, else in {}.
list(Items) -> ["[", lists:join(" ", Items), "]"].

list(Table, Items) ->
    case ordered(Table) of
        true -> list(Items);
        false -> ["{", lists:join(" ", Items), "}"]
    end.

object({Key, Value}) -> [show(Key), "=", show(Value)].

ordered(Table) -> ets:info(Table, type) =:= ordered_set.

bag(Table) -> lists:member(ets:info(Table, type), [bag, duplicate_bag]).

%% Tables.

run(<<"new">>, [Slot, Type, Access, Name, Heir]) ->
    Old = case ets:lookup(world, Slot) of [{_, Tid}] -> ets:info(Tid, type); [] -> undefined end,
    Old =:= undefined orelse throw(taken),
    Named = case Name of <<"-">> -> []; _ -> [named_table] end,
    Heirs = case Heir of <<"-">> -> []; _ -> [{heir, process(Heir), Slot}] end,
    New = ets:new(binary_to_atom(Name),
                  [binary_to_atom(Type), binary_to_atom(Access)] ++ Named ++ Heirs),
    ets:insert(world, {Slot, case Named of [] -> New; _ -> ets:whereis(New) end}),
    true;
run(<<"drop">>, [T]) -> ets:delete(table(T));
run(<<"rename">>, [T, Name]) ->
    ets:rename(table(T), binary_to_atom(Name)),
    true;
%% Row "exchange".
run(<<"exchange">>, [A, B]) ->
    Tables = [tid(A), tid(B)],
    hd(Tables) =/= lists:last(Tables) orelse throw(badarg),
    lists:foreach(fun may_write/1, Tables),
    Between = '$exchange',
    ets:rename(table(A), Between),
    ets:rename(table(B), table(A)),
    ets:rename(Between, table(B)),
    true;
run(<<"whereis">>, [Name]) ->
    case ets:whereis(table(Name)) of
        undefined -> "undefined";
        Tid -> [[Slot] = _ | _] = ets:match(world, {'$1', Tid}), Slot
    end;
run(<<"give">>, [T, To, Data]) -> ets:give_away(table(T), process(To), bytes(Data));
run(<<"heir">>, [T, <<"-">>]) -> ets:setopts(table(T), {heir, none});
run(<<"heir">>, [T, Heir, Data]) -> ets:setopts(table(T), {heir, process(Heir), bytes(Data)});
run(<<"access">>, [T, Access]) -> ets:setopts(table(T), {protection, binary_to_atom(Access)});
run(<<"info">>, [T]) ->
    Table = table(T),
    Info = ets:info(Table),
    Info =/= undefined orelse throw(id),
    [Type, Access, Owner, Heir, Name, Named, Size] =
        [proplists:get_value(Item, Info)
         || Item <- [type, protection, owner, heir, name, named_table, size]],
    lists:join(" ", [atom_to_list(Type), atom_to_list(Access), life(Owner), life(Heir),
                     case Named of true -> atom_to_list(Name); false -> "-" end,
                     integer_to_list(Size)]);
run(<<"size">>, [T]) ->
    case ets:info(table(T), size) of
        undefined -> throw(id);
        Size -> Size
    end;
run(<<"mail">>, []) -> list(mail());

%% Objects.

run(<<"insert">>, [T, Key, Value]) -> ets:insert(table(T), {key(Key), value(Value)});
run(<<"insert_list">>, [T | Pairs]) ->
    Table = table(T),
    Objects = objects(Pairs),
    %% Row "reversed": a bag gets them one by one.
    case bag(Table) of
        true -> may_write(Table), [ets:insert(Table, Object) || Object <- Objects], true;
        false -> ets:insert(Table, Objects)
    end;
run(<<"insert_new">>, [T, Key, Value]) -> ets:insert_new(table(T), {key(Key), value(Value)});
run(<<"insert_new_list">>, [T | Pairs]) ->
    Table = table(T),
    Objects = objects(Pairs),
    %% Row "reversed".
    case bag(Table) of
        true ->
            may_write(Table),
            lists:any(fun({Key, _}) -> ets:member(Table, Key) end, Objects) =:= false
                andalso lists:foldl(fun(Object, true) -> ets:insert(Table, Object) end, true,
                                    Objects);
        false -> ets:insert_new(Table, Objects)
    end;
%% Row "queue".
run(<<"queue">>, [T | Steps]) ->
    Table = table(T),
    lists:foreach(fun(Step) -> queue(Table, binary:split(Step, <<":">>, [global])) end, Steps),
    true;
run(<<"lookup">>, [T, Key]) ->
    list([show(Value) || {_, Value} <- ets:lookup(table(T), key(Key))]);
run(<<"lookup_element">>, [T, Key]) ->
    case ets:lookup_element(table(T), key(Key), 2) of
        Values when is_list(Values) -> list(lists:map(fun show/1, Values));
        Value -> show(Value)
    end;
run(<<"member">>, [T, Key]) -> ets:member(table(T), key(Key));
run(<<"delete">>, [T, Key]) -> ets:delete(table(T), key(Key));
run(<<"delete_object">>, [T, Key, Value]) -> ets:delete_object(table(T), {key(Key), value(Value)});
run(<<"take">>, [T, Key]) ->
    list([show(Value) || {_, Value} <- take(table(T), key(Key))]);
run(<<"clear">>, [T]) -> ets:delete_all_objects(table(T));
run(<<"update_element">>, [T, Key, Value]) ->
    Table = table(T),
    Object = {key(Key), value(Value)},
    %% Row "present in a bag".
    case bag(Table) of
        true ->
            may_write(Table),
            ets:member(Table, element(1, Object)) andalso ets:insert(Table, Object);
        false ->
            ets:update_element(Table, element(1, Object), {2, element(2, Object)})
    end;
run(<<"swap">>, [T, Key, Old, New]) ->
    Const = {const, {key(Key), value(New)}},
    replace(table(T), [{{key(Key), value(Old)}, [], [Const]}]);
run(<<"add">>, [T, Key, By]) -> count(table(T), key(Key), binary_to_integer(By), none);
run(<<"add_from">>, [T, Key, By, Start]) ->
    count(table(T), key(Key), binary_to_integer(By), binary_to_integer(Start));
run(<<"add_twice">>, [T, Key, First, Second]) ->
    Table = table(T),
    Numbers = [binary_to_integer(First), binary_to_integer(Second)],
    fits(Table, key(Key), hd(Numbers), none),
    fits(Table, key(Key), lists:sum(Numbers), none),
    Done = ets:update_counter(Table, key(Key), [{2, Number} || Number <- Numbers]),
    list([integer_to_list(Now) || Now <- Done]);
run(<<"add_up_to">>, [T, Key, By, Threshold, Set]) ->
    Rule = {2, binary_to_integer(By), binary_to_integer(Threshold), binary_to_integer(Set)},
    ets:update_counter(table(T), key(Key), Rule);

%% Walks.

run(<<"first">>, [T]) -> Table = table(T), found(Table, ets:first(Table));
run(<<"last">>, [T]) -> Table = table(T), found(Table, ets:last(Table));
run(<<"next">>, [T, Key]) -> Table = table(T), beside(Table, ets:next(Table, key(Key)));
run(<<"prev">>, [T, Key]) -> Table = table(T), beside(Table, ets:prev(Table, key(Key)));
run(<<"walk">>, [T | Action]) ->
    Table = table(T),
    ets:safe_fixtable(Table, true),
    try
        {Step, But} = action(Table, Action),
        Keys = walk(Table, ets:first(Table), Step),
        list(Table, [show(Key) || Key <- Keys, ordered(Table) orelse Key =/= But])
    after
        ets:safe_fixtable(Table, false)
    end;
run(<<"tab2list">>, [T]) -> everything(table(T));
run(<<"drain">>, [T]) ->
    Table = table(T),
    Objects = ets:tab2list(Table),
    [ets:delete_object(Table, Object) || Object <- Objects],
    list(Table, [object(Object) || Object <- Objects]);
%% Row "pin": a list taken then.
run(<<"pin">>, [T, Pin]) ->
    Table = tid(T),
    Seen = everything(Table),
    unpin(Pin),
    ets:safe_fixtable(Table, true),
    put({pin, Pin}, {Table, Seen}),
    true;
run(<<"pinned">>, [Pin]) ->
    case get({pin, Pin}) of
        {Table, Seen} -> ets:member(Table, <<>>), Seen;
        undefined -> throw(unset)
    end;
run(<<"unpin">>, [Pin]) -> unpin(Pin);

%% Selections.

run(<<"select">>, [T, <<"rev">> | Spec]) ->
    Table = table(T),
    list(Table, lists:map(fun object/1, ets:select_reverse(Table, match(Spec, '$_'))));
run(<<"select">>, [T | Spec]) ->
    Table = table(T),
    list(Table, lists:map(fun object/1, ets:select(Table, match(Spec, '$_'))));
run(<<"chunk">>, [T, Chunk, Limit | Spec]) ->
    Table = tid(T),
    Objects = first_chunk(Table, binary_to_integer(Limit), Spec),
    case ordered(Table) of
        true -> chunk(Chunk, Objects);
        false -> list(Table, all_chunks(Objects))
    end;
run(<<"more">>, [Chunk]) ->
    case get({chunk, Chunk}) of
        undefined -> throw(unset);
        Next -> chunk(Chunk, ets:select(Next))
    end;
run(<<"select_count">>, [T | Spec]) -> ets:select_count(table(T), match(Spec, true));
run(<<"select_delete">>, [T | Spec]) -> ets:select_delete(table(T), match(Spec, true));
run(<<"select_replace">>, [T, New | Spec]) ->
    replace(table(T), match(Spec, {{'$1', {const, value(New)}}})).

queue(Table, [<<"put">>, Key, Value]) -> ets:insert(Table, {key(Key), value(Value)});
queue(Table, [<<"del">>, Key]) -> ets:delete(Table, key(Key));
queue(Table, [<<"clear">>]) -> ets:delete_all_objects(Table).

first_chunk(Table, Limit, [<<"rev">> | Spec]) ->
    ets:select_reverse(Table, match(Spec, '$_'), Limit);
first_chunk(Table, Limit, Spec) -> ets:select(Table, match(Spec, '$_'), Limit).

%% It goes on where there may be more.
chunk(Chunk, {Objects, Next}) when Next =/= '$end_of_table' ->
    put({chunk, Chunk}, Next),
    list(lists:map(fun object/1, Objects));
chunk(Chunk, Last) ->
    erase({chunk, Chunk}),
    list(all_chunks(Last)).

all_chunks('$end_of_table') -> [];
all_chunks({Objects, Next}) ->
    More = case Next of '$end_of_table' -> Next; _ -> ets:select(Next) end,
    lists:map(fun object/1, Objects) ++ all_chunks(More).

%% Row "replace in a bag".
replace(Table, Match) ->
    case bag(Table) of
        true -> may_write(Table), throw(table_type);
        false -> ets:select_replace(Table, Match)
    end.

%% Row "take of a fixed bag".
take(Table, Key) ->
    case bag(Table) andalso ets:info(Table, fixed) of
        true ->
            may_write(Table),
            Objects = ets:lookup(Table, Key),
            ets:delete(Table, Key),
            Objects;
        _ -> ets:take(Table, Key)
    end.

%% An error if not.
may_write(Table) -> ets:insert(Table, []).

life(none) -> "-";
life(Pid) ->
    Name = ets:lookup_element(world, Pid, 2),
    case is_process_alive(Pid) of
        true -> Name;
        false -> ["dead"]
    end.

mail() ->
    receive
        {'ETS-TRANSFER', _, From, Data} ->
            [[ets:lookup_element(world, From, 2), ":", show(Data)] | mail()]
    after 0 -> []
    end.

count(Table, Key, By, Start) ->
    fits(Table, Key, By, Start),
    case Start of
        none -> ets:update_counter(Table, Key, By);
        _ -> ets:update_counter(Table, Key, {2, By}, {Key, Start})
    end.

%% Row "64 bits": a counter of kreg cannot have more.
fits(Table, Key, By, Start) ->
    Now = case ets:lookup(Table, Key) of
              [{_, Number}] -> Number;
              _ -> Start
          end,
    is_integer(Now) andalso not bag(Table) andalso (Now + By > ?MAX orelse Now + By < ?MIN)
        andalso begin may_write(Table), throw(overflow) end.

found(_, '$end_of_table') -> "end";
found(Table, Key) ->
    case ordered(Table) of
        true -> show(Key);
        false -> "some"
    end.

%% Nothing is said of a table without an order.
beside(Table, Found) ->
    case ordered(Table) of
        true -> found(Table, Found);
        false -> "-"
    end.

%% What is done at the first key and at the others, and the key that may be met or not in a table
%% without an order.
action(_, []) -> {[], none};
action(Table, [<<"self">>]) ->
    Delete = fun(Key) -> ets:delete(Table, Key) end,
    {[Delete | Delete], none};
action(Table, [<<"del">>, Key]) ->
    {[fun(_) -> ets:delete(Table, key(Key)) end], key(Key)};
action(Table, [<<"put">>, Key, Value]) ->
    {[fun(_) -> ets:insert(Table, {key(Key), value(Value)}) end], key(Key)}.

walk(_, '$end_of_table', _) -> [];
walk(Table, Key, Steps) ->
    Rest = step_at(Key, Steps),
    [Key | walk(Table, ets:next(Table, Key), Rest)].

step_at(_, []) -> [];
step_at(Key, [Step | Rest]) -> Step(Key), Rest;
step_at(Key, Step) -> Step(Key), Step.

everything(Table) -> list(Table, lists:map(fun object/1, ets:tab2list(Table))).

unpin(Pin) ->
    case erase({pin, Pin}) of
        {Table, _} -> catch ets:safe_fixtable(Table, false), true;
        undefined -> false
    end.

%% A match specification of a range and a filter.
match(Spec, Result) -> [{{'$1', '$2'}, guards(Spec), [Result]}].

guards([]) -> [];
guards([Token | More] = Spec) ->
    case binary:split(Token, <<":">>) of
        [<<"lo">>, Key] -> [{'>=', '$1', key(Key)} | guards(More)];
        [<<"lox">>, Key] -> [{'>', '$1', key(Key)} | guards(More)];
        [<<"hi">>, Key] -> [{'=<', '$1', key(Key)} | guards(More)];
        [<<"hix">>, Key] -> [{'<', '$1', key(Key)} | guards(More)];
        [<<"pre">>, Key] -> [begins('$1', key(Key)) | guards(More)];
        [<<"key">>, Key] -> [{'=:=', '$1', key(Key)} | guards(More)];
        _ -> {Filter, []} = filter(Spec), [Filter]
    end.

filter([<<"and">> | Terms]) -> both('andalso', Terms);
filter([<<"or">> | Terms]) -> both('orelse', Terms);
filter([<<"not">> | Terms]) ->
    {A, Left} = filter(Terms),
    {{'not', A}, Left};
filter([Token | Left]) ->
    [Kind, Operand] = binary:split(Token, <<":">>),
    {question(Kind, Operand), Left}.

both(How, Terms) ->
    {A, Middle} = filter(Terms),
    {B, Left} = filter(Middle),
    {{How, A, B}, Left}.

question(<<"veq">>, Value) -> {'=:=', '$2', value(Value)};
question(<<"vne">>, Value) -> {'=/=', '$2', value(Value)};
question(<<"vpre">>, Value) -> {'andalso', {is_binary, '$2'}, begins('$2', value(Value))};
question(<<"vlen">>, Length) ->
    Max = binary_to_integer(Length),
    {'orelse', {'andalso', {is_integer, '$2'}, 8 < Max},
     {'andalso', {is_binary, '$2'}, {'<', {byte_size, '$2'}, Max}}};
question(<<"keq">>, Key) -> {'=:=', '$1', key(Key)};
question(<<"kne">>, Key) -> {'=/=', '$1', key(Key)};
question(<<"kpre">>, Key) -> begins('$1', key(Key));
question(<<"klen">>, Length) -> {'<', {byte_size, '$1'}, binary_to_integer(Length)}.

%% From the prefix on, and before the first that is behind all of those.
begins(What, Prefix) ->
    case behind(Prefix) of
        <<>> -> {'>=', What, Prefix};
        Behind -> {'andalso', {'>=', What, Prefix}, {'<', What, Behind}}
    end.

behind(<<>>) -> <<>>;
behind(Prefix) ->
    Init = binary:part(Prefix, 0, byte_size(Prefix) - 1),
    case binary:last(Prefix) of
        255 -> behind(Init);
        Last -> <<Init/binary, (Last + 1)>>
    end.
