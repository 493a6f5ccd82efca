// Texts of the waveforms and players, in the language of ComfyUI's page.

import { app } from "../../../scripts/app.js";

/** @type {Record<string, Record<string, string>>} */
export const MESSAGES = {
  en: {
    empty: "Wire a recording, or run once",
    cannotDecode: "This browser cannot decode the recording",
    cannotPlay: "This browser cannot play it",
    mask: "The mask sets the region",
    playSelection: "Play the selection, or from where you clicked (Space)",
    loop: "Play the region again and again, with a bar before it, or a second (L)",
    zoomToRegion: "Show the region as large as it goes, and back (Z)",
    position: "play position",
    snap: "Snap",
    snapTo: "What the region snaps to: nothing, beats or bars",
    snapNeedsTempo: "No tempo is known: set bpm on the Song, or wire beats from Measure and run once",
    snapsAlways: "A region that is counted in bars or beats always lies on them",
    free: "free",
    beat: "beat",
    bar: "bar",
    start: "start",
    whole: "all of it",
    end: "end",
    region: "Region: drag or arrows move, up and down choose what, Shift goes further; a click sets the play position, Space plays; the wheel, + and - zoom, 0 shows all",
    play: "Play or stop (Space)",
    take: "Take",
    takes: "Takes: a click or the arrows seek, 1 to 9 choose, Space plays; the wheel, + and - zoom, 0 shows all; all are equally loud",
    original: "Original",
    hearOriginal: "Hear what this take was made of, at the same moment, and the take again (O)",
    noOriginal: "This take was not made of a recording",
    saved: "The song appears here after a run",
    previewStep: "step {step} of {steps}: {start}–{end}",
    playPreview: "Play the song as it is now; newer previews follow until you stop (Space)",
    star: "Keep this take when older ones leave the list",
    seeds: "Use seed",
    useSeeds: "Use the seeds of this take again, and keep them fixed",
    seedsPut: "Its seeds are set, and fixed",
    noSeeds: "This workflow has no place for its seeds",
    seed: "seed",
    source: "Use as source",
    useAsSource: "Make this take the source of this workflow: of its Cover, Repaint, Stems or other task",
    sourceSet: "It is the source of this workflow now",
    sourceAdded: "It is the source now, in a Load Recording beside the task",
    noTask: "This workflow has no Cover, Repaint or Stems to use it in",
    sourceWired: "The source is wired to another node: take that wire away first",
    rename: "Give this take a name",
    remove: "Take it off the list; its file stays",
    lost: "Its file is not there any more",
    notKept: "ComfyUI could not keep the list of takes",
  },
  zh: {
    empty: "请连接一段录音，或先运行一次",
    cannotDecode: "浏览器无法读取此录音",
    cannotPlay: "浏览器无法播放",
    mask: "范围由遮罩决定",
    playSelection: "试听选区，或从点击处开始（空格）",
    loop: "循环播放选区，之前先播一小节或一秒（L）",
    zoomToRegion: "放大到选区，再按则返回（Z）",
    position: "播放位置",
    snap: "吸附",
    snapTo: "选区吸附到：不吸附、拍或小节",
    snapNeedsTempo: "速度未知：请在歌曲节点填写 bpm，或连接测量节点的 beats 并运行一次",
    snapsAlways: "按小节或拍计的选区总在其上",
    free: "自由",
    beat: "拍",
    bar: "小节",
    start: "起点",
    whole: "整个选区",
    end: "终点",
    region: "选区：拖动或左右键移动，上下键选择对象，Shift 加大步幅；单击设定播放位置，空格播放；滚轮或 +、- 缩放，0 显示全部",
    play: "播放或停止（空格）",
    take: "版本",
    takes: "各版本：单击或左右键定位，数字键 1–9 切换，空格播放；滚轮或 +、- 缩放，0 显示全部；响度已对齐",
    original: "原曲",
    hearOriginal: "在同一时刻试听此版本的来源录音，再按则回到此版本（O）",
    noOriginal: "此版本不是由录音制作的",
    saved: "运行后歌曲会显示在这里",
    previewStep: "第 {step} 步，共 {steps} 步：{start}–{end}",
    playPreview: "试听目前的歌曲；之后的会接着播放，直到停止（空格）",
    star: "旧版本离开列表时保留此版本",
    seeds: "用此种子",
    useSeeds: "再次使用此版本的种子，并保持固定",
    seedsPut: "已填入它的种子并固定",
    noSeeds: "此工作流没有可填入种子的位置",
    seed: "种子",
    source: "用作原曲",
    useAsSource: "把此版本用作此工作流的原曲：供其中的翻唱、局部重绘、分轨等任务使用",
    sourceSet: "它现在是此工作流的原曲",
    sourceAdded: "它现在是原曲，位于任务旁新添加的“加载录音”中",
    noTask: "此工作流中没有可使用它的翻唱、局部重绘或分轨",
    sourceWired: "原曲输入已连接其他节点：请先断开该连线",
    rename: "给此版本起名",
    remove: "从列表中移除；文件仍保留",
    lost: "它的文件已经不在了",
    notKept: "ComfyUI 无法保存版本列表",
  },
  ja: {
    empty: "録音を接続するか、一度実行してください",
    cannotDecode: "このブラウザーでは録音を読み込めません",
    cannotPlay: "このブラウザーでは再生できません",
    mask: "範囲はマスクで決まります",
    playSelection: "選択範囲、またはクリックした位置から再生（スペース）",
    loop: "範囲を、前の1小節か1秒から繰り返し再生（L）",
    zoomToRegion: "範囲を拡大表示、もう一度で戻る（Z）",
    position: "再生位置",
    snap: "スナップ",
    snapTo: "範囲を何に吸着させるか：なし、拍、小節",
    snapNeedsTempo: "テンポが不明です。「曲」に bpm を入れるか、「測定」の beats をつないで一度実行してください",
    snapsAlways: "小節や拍で数える範囲は、いつもその上にあります",
    free: "なし",
    beat: "拍",
    bar: "小節",
    start: "始点",
    whole: "範囲全体",
    end: "終点",
    region: "範囲：ドラッグか左右キーで移動、上下キーで対象を選択、Shift で大きく移動、クリックで再生位置、スペースで再生、ホイールか +／- で拡大縮小、0 で全体",
    play: "再生／停止（スペース）",
    take: "テイク",
    takes: "テイク：クリックか左右キーで移動、1～9 で切り替え、スペースで再生、ホイールか +／- で拡大縮小、0 で全体（音量は揃えてあります）",
    original: "原曲",
    hearOriginal: "このテイクの元の録音を同じ位置で聴く、もう一度でテイクに戻る（O）",
    noOriginal: "このテイクは録音から作られたものではありません",
    saved: "実行すると、ここに曲が表示されます",
    previewStep: "ステップ {step}／{steps}：{start}～{end}",
    playPreview: "今の段階の曲を試聴。停止するまで新しいものも続けて再生（スペース）",
    star: "古いテイクが一覧から外れるときも残す",
    seeds: "シードを使う",
    useSeeds: "このテイクのシードをもう一度使い、固定する",
    seedsPut: "シードを入れて固定しました",
    noSeeds: "このワークフローにはシードを入れる場所がありません",
    seed: "シード",
    source: "原曲にする",
    useAsSource: "このテイクをワークフローの原曲にする（カバー、リペイント、ステムなどで使う）",
    sourceSet: "このワークフローの原曲になりました",
    sourceAdded: "原曲になりました（タスクの横に「録音を読み込む」を追加）",
    noTask: "このワークフローには、使う先のカバー、リペイント、ステムがありません",
    sourceWired: "原曲の入力は別のノードにつながっています。先にその接続を外してください",
    rename: "このテイクに名前を付ける",
    remove: "一覧から外す（ファイルは残ります）",
    lost: "ファイルがもうありません",
    notKept: "ComfyUI はテイクの一覧を保存できませんでした",
  },
};

/** @returns {string} that of the page where we speak it, else English */
export function pageLanguage() {
  const [language] = String(app.extensionManager?.setting?.get("Comfy.Locale") ?? "en").split("-");
  return language in MESSAGES ? language : "en";
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} [values] what stands in the braces
 * @returns {string}
 */
export function translate(name, values = {}) {
  return say(MESSAGES, name, values);
}

/**
 * @param {Record<string, Record<string, string>>} messages by language
 * @param {string} name
 * @param {Record<string, string | number>} [values] what stands in the braces
 * @returns {string}
 */
export function say(messages, name, values = {}) {
  const message = messages[pageLanguage()][name] ?? messages.en[name] ?? name;
  return message.replace(/\{(\w+)\}/g, (all, key) => String(values[key] ?? all));
}
